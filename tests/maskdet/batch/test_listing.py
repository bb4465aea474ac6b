"""What sources hold, in order and once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from maskdet.batch.listing import list_files
from maskdet.batch.manifest import Entry, entry_of, path_of
from maskdet.errors import SourceError

Names = Callable[..., list[str]]


@pytest.fixture
def told() -> list[tuple[str, bool]]:
    """Return what listings have reported: the message, and whether it is a note."""
    return []


def listed(told: list[tuple[str, bool]], *sources: str | Path) -> list[Entry]:
    def report(error: SourceError, note: bool) -> None:
        told.append((str(error), note))

    return list(list_files(map(str, sources), report))


def test_a_folder_is_listed_in_order_with_sizes(photos: Path, told: list[tuple[str, bool]]) -> None:
    (photos / "text.txt").write_text("no picture")
    (photos / ".hidden.png").touch()
    found = listed(told, photos, photos / "03.png")
    assert [entry.uri for entry in found] == [str(photos / f"{number:02d}.png") for number in range(12)]
    status = (photos / "03.png").stat()
    mtime = status.st_mtime_ns
    assert found[3] == entry_of(str(photos / "03.png"), status.st_size, str(mtime), mtime // 1000)
    assert told == [(f"{photos}: passed over: 1 hidden picture, first {photos}/.hidden.png", True)]


def test_an_id_is_of_uri_size_and_etag() -> None:
    ids = {entry_of(*told).id for told in (("a", 1, "x"), ("b", 1, "x"), ("a", 2, "x"), ("a", 1, "y"), ("a", 1, None))}
    assert len(ids) == 5
    assert entry_of("a", 1, "x", 5).id == entry_of("a", 1, "x", 7).id


def test_a_name_that_is_no_text_has_an_address(tmp_path: Path, told: list[tuple[str, bool]]) -> None:
    name = os.fsdecode(b"caf\xe9 1%.png")
    try:
        (tmp_path / name).touch()
    except OSError:
        pytest.skip("this file system takes no such names")
    (entry,) = listed(told, tmp_path)
    assert entry.uri == f"file://{tmp_path}/caf%E9%201%25.png"
    assert path_of(entry.uri) == tmp_path / name


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_list_names_files(photos: Path, tmp_path: Path, told: list[tuple[str, bool]], ending: str) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    uris = [str(photos / "02.png"), "photos/01.png", f"file://{photos}/03.png", "s3://bucket/a.jpg", "photos/gone.png"]
    table = pa.table({"camera": list("abcde"), "uri": uris, "size": [9] * 5, "etag": list("vwxyz")})
    path = tmp_path / f"list.{ending}"
    (pyarrow.csv.write_csv if ending == "csv" else pyarrow.parquet.write_table)(table, path)
    found = listed(told, path)
    assert told == []
    assert [entry.uri for entry in found] == [
        *(str(photos / f"0{number}.png") for number in (2, 1, 3)),
        "s3://bucket/a.jpg",
        str(photos / "gone.png"),
    ]
    assert found[0].size == (photos / "02.png").stat().st_size, "what lies here is looked up"
    assert found[3] == entry_of("s3://bucket/a.jpg", 9, "y")
    assert found[4] == entry_of(str(photos / "gone.png"))


def test_a_list_without_the_column(photos: Path, tmp_path: Path, told: list[tuple[str, bool]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    (tmp_path / "names.csv").write_text(f"{photos}/01.png\n{photos}/02.png\n")
    assert len(listed(told, tmp_path / "names.csv")) == 2, "a list of names, as maskdet detect takes it"
    pyarrow.parquet.write_table(pa.table({"path": ["a.jpg"]}), tmp_path / "list.parquet")
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    (tmp_path / "empty.csv").write_text("uri\n\n")
    names = ("list.parquet", "damaged.parquet", "nowhere.csv")
    assert listed(told, *(tmp_path / name for name in names)) == []
    assert [message.removeprefix(f"{tmp_path}/") for message, _ in told] == [
        "list.parquet: a list needs a column uri; its columns are path",
        told[1][0].removeprefix(f"{tmp_path}/"),
        "nowhere.csv: no such file or folder",
    ]
    assert told[1][0].startswith(f"{tmp_path}/damaged.parquet: cannot be read as parquet (")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("rtsp://camera/1", "is no file, and a run needs a list with an end"),
        ("-", "is no file, and a run needs a list with an end"),
        ("0", "is no file, and a run needs a list with an end"),
        ("http://guard:secret@example.org/a.jpg", "an address with a password in it"),
        ("s3://key:secret@bucket/a.jpg", "an address with a password in it"),
        ("", "the name is empty"),
    ],
)
def test_what_is_no_list(source: str, reason: str, told: list[tuple[str, bool]]) -> None:
    assert listed(told, source) == []
    ((message, note),) = told
    assert reason in message
    assert "secret" not in message
    assert not note


def test_a_web_address_is_one_file(told: list[tuple[str, bool]]) -> None:
    assert listed(told, "https://example.org/a.jpg") == [entry_of("https://example.org/a.jpg")]
