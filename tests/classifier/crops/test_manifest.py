from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.classifier.crops.manifest import COLUMNS, CropRecord, format_manifest, read_manifest
from maskdet.errors import DatasetError

GOOD = "with_mask/a_0.png,a.jpg,0,1,2,3,4,with_mask,0,a"


def test_round_trip(tmp_path: Path) -> None:
    records = [
        CropRecord("with_mask/a, b_0.png", "a, b.jpg", 0, (0.0, 1.0, 2.5, 1234567.25), 0, "a, b"),
        CropRecord("mask_weared_incorrect/ü_1.png", "ü.jpg", 1, (3.0, 4.0, 5.0, 6.0), 2, "ü"),
    ]
    path = tmp_path / "manifest.csv"
    path.write_bytes(format_manifest(records).encode())
    assert read_manifest(path) == records


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("with_mask/a_0.png,a.jpg,0", "expected 10 columns, found 3"),
        (GOOD.replace("with_mask/a_0", "../a_0"), "is not a file inside the folder"),
        (GOOD.replace("with_mask/a_0", "/a_0"), "is not a file inside the folder"),
        (GOOD.replace("with_mask/a_0", "C:a_0"), "is not a file inside the folder"),
        (GOOD.replace("with_mask,0", "mask,0"), "unknown class 'mask'"),
        (GOOD.replace("3,4", "x,4"), "numbers"),
        (GOOD.replace("3,4", "nan,4"), "no area"),
        (GOOD.replace("1,2,3", "1,2,1"), "no area"),
        (GOOD.replace("with_mask,0", "with_mask,1"), "binary is '1', which does not fit"),
        (GOOD.removesuffix("a"), "photo and group must not be empty"),
    ],
)
def test_a_wrong_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "manifest.csv"
    path.write_text("\n".join([",".join(COLUMNS), GOOD, line]), encoding="utf-8")
    with pytest.raises(DatasetError, match=message) as caught:
        read_manifest(path)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no crop manifest"),
        (b"name,group\na,b\n", "is no crop manifest: its first line must be crop,photo,"),
        (",".join(COLUMNS).encode(), "lists no crop"),
        (b"\xff\xfe\x00", r"cannot be read as a CSV file \(UnicodeDecodeError\)"),
    ],
)
def test_no_manifest(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "manifest.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_manifest(path)


def test_a_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"FileNotFoundError"):
        read_manifest(tmp_path / "manifest.csv")
