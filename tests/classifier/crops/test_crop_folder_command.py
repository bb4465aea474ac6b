"""``maskdet convert --crops``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maskdet.classifier.crops.manifest import read_manifest
from maskdet.cli import main
from maskdet.datasets.photos.picture_file import read_pixels


def run(*args: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(arg) for arg in args])
    return int(caught.value.code or 0)


def test_a_crop_folder_and_its_table(small_voc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "crops"
    assert run("convert", small_voc, out, "--crops") == 0
    printed, err = capsys.readouterr()
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line.strip()}
    assert rows["with_mask"] == ["1", "33.3%", "0"]
    assert rows["mask_weared_incorrect"] == ["1", "33.3%", "–"]
    assert rows["all"] == ["3", "2", "used"]
    assert rows["1"] == ["boxes", "clipped", "at", "the", "edge"]
    assert "cut: the box, margin 0, as large as in the photo" in printed
    assert printed.endswith(f"wrote {out / 'manifest.csv'}\n")
    assert err == ""
    assert len(read_manifest(out / "manifest.csv")) == 3
    # Three classes of one row each: a title of 22 pixels and a tile of 80 with its gap of 4; 16 tiles in a row.
    assert read_pixels(out / "contact_sheet.jpg").shape == (3 * (22 + 84), 16 * 84, 3)


def test_the_window_is_what_was_asked_for(small_voc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    window = ("--crop-margin", "0.25", "--crop-square", "--crop-size", "16")
    assert run("convert", small_voc, tmp_path / "crops", "--crops", *window, "--quiet") == 0
    assert capsys.readouterr().out == ""
    assert read_pixels(tmp_path / "crops" / "with_mask" / "a_0.png").shape == (16, 16, 3)
    options = json.loads((tmp_path / "crops" / "crops.json").read_text())["options"]
    assert options == {"margin": 0.25, "square": True, "side": 16}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--crops", "--split", "grouped"], "--split cannot be used with --crops"),
        (["--crops", "--folds", "3", "--images", "copy"], "--folds, --images cannot be used with --crops"),
        (["--crop-margin", "0.2"], "--crop-margin needs --crops"),
        (["--crop-square", "--crop-size", "64"], "--crop-square, --crop-size needs --crops"),
        (["--crops", "--crop-margin", "-1"], "margin must be between 0 and 5"),
        (["--crops", "--crop-size", "0"], "side must be between 1 and 4096"),
    ],
)
def test_options_that_do_not_fit(
    small_voc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], reason: str
) -> None:
    assert run("convert", small_voc, tmp_path / "out", *options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert reason in err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_the_other_options_reach_it(small_voc: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small_voc / "images" / "c.png").write_bytes(b"no picture")
    out = tmp_path / "crops"
    assert run("convert", small_voc, out, "--crops", "--no-duplicates") == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert run("convert", small_voc, out, "--crops", "--no-duplicates", "--keep-going") == 2
    printed, err = capsys.readouterr()
    assert "1 photos left out" in printed
    assert err.startswith("left out c.xml: ")
    assert run("convert", small_voc, out, "--crops", "--keep-going", "--quiet") == 2
    assert "exists already" in capsys.readouterr().err
    assert run("convert", small_voc, out, "--crops", "--keep-going", "--quiet", "--overwrite") == 2
    # A crop folder is no YOLO data set: neither replaces the other.
    assert run("convert", small_voc, out, "--overwrite") == 2
    assert "was not written by maskdet convert" in capsys.readouterr().err
