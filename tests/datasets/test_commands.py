from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from maskdet.cli import main


def run(*args: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(arg) for arg in args])
    return int(caught.value.code or 0)


def test_convert_prints_a_summary(ten_photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("convert", ten_photos, tmp_path / "out", "--images", "copy", "--seed", 3) == 0
    out, err = capfd.readouterr()
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.strip()}
    assert rows["part"] == ["photos", "background", "with_mask", "without_mask", "mask_weared_incorrect", "boxes"]
    assert rows["all"] == ["10", "0", "10", "6", "4", "20"]
    assert err == ""
    assert run("convert", ten_photos, tmp_path / "quiet", "--quiet", "--folds", 2) == 0
    assert capfd.readouterr().out == ""


def test_errors_are_one_line_and_code_two(ten_photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (ten_photos / "images" / "p3.jpg").write_bytes(b"")
    assert run("convert", ten_photos, tmp_path / "out", "--no-duplicates") == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "p3.jpg: is empty" in err
    assert run("convert", ten_photos, tmp_path / "out", "--no-duplicates", "--keep-going") == 2
    out, err = capfd.readouterr()
    assert "1 photos left out" in out
    assert err == "left out p3.xml: p3.jpg is empty (0 bytes)\n"
    assert (tmp_path / "out" / "data.yaml").is_file()


@pytest.mark.parametrize("value", ["helmet", "=with_mask", "helmet=", "helmet=hat"])
def test_wrong_map(ten_photos: Path, tmp_path: Path, value: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("convert", ten_photos, tmp_path / "out", "--map", value) == 2
    assert not (tmp_path / "out").exists()


def test_map(make_voc, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = make_voc({"a": [("hard hat", 1, 2, 30, 40)], "b": []})
    assert run("convert", root, tmp_path / "out", "--map", "hard hat=without_mask", "--no-duplicates") == 0
    assert run("data", "stats", root, "--map", "hard hat=with_mask") == 0


def test_check(ten_photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("convert", ten_photos, tmp_path / "out", "--images", "copy", "--quiet") == 0
    assert run("data", "check", tmp_path / "out", "--fail-on", "leaks", "--fail-on", "boxes") == 0
    capfd.readouterr()
    twin = next((tmp_path / "out/images/val").iterdir())
    (tmp_path / "out/images/train/twin.jpg").write_bytes(twin.read_bytes())
    assert run("data", "check", tmp_path / "out", "--fail-on", "boxes") == 0
    assert run("data", "check", tmp_path / "out", "--json", "-", "--fail-on", "leaks") == 1
    out = capfd.readouterr().out
    report = json.loads(out[out.index("{") :])
    assert [pair["leaks"] for pair in report["alike"]] == [True]
    assert run("data", "check", tmp_path / "out", "--quiet", "--json", tmp_path / "audit.json", "--no-duplicates") == 0
    assert json.loads((tmp_path / "audit.json").read_text())["alike"] is None
    assert run("data", "check", tmp_path / "out", "--json", tmp_path / "none" / "x.json") == 2


def test_check_of_a_broken_set(make_voc, capfd: pytest.CaptureFixture[str]) -> None:
    root = make_voc({"a": [], "b": [("helmet", 1, 2, 3, 4)]})
    assert run("data", "check", root) == 2
    out, err = capfd.readouterr()
    assert "cannot use b.xml: line 4: unknown class" in err
    assert "1 unknown classes: 'helmet' (1)" in out


def test_stats(ten_photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert run("data", "stats", ten_photos, "--plot", tmp_path / "a.png") == 0
    out, err = capfd.readouterr()
    assert "faces a photo: 2.0 on average, 2 at most" in out
    assert err == f"wrote {tmp_path / 'a.png'}\n"
    assert (tmp_path / "a.png").is_file()


def test_every_option_has_help() -> None:
    from maskdet.cli.convert import convert
    from maskdet.cli.data import data

    for command in (convert, *data.commands.values()):
        assert command.help
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, option.name


def test_what_is_passed_over_is_counted_and_named(make_voc, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    root = make_voc({"a": [("with_mask", 1, 2, 30, 40)], "b": [("with_mask", 1, 2, 30, 40)], "c": []})
    xml = root / "annotations" / "a.xml"
    marked = xml.read_text().replace("</name>", "</name><difficult>1</difficult>")
    xml.write_text(marked.replace("</annotation>", "<object><name>with_mask</name></object></annotation>"))
    (root / "annotations" / "c.xml").unlink()
    for command in (["convert", root, tmp_path / "out", "--no-duplicates"], ["data", "check", root, "--no-duplicates"]):
        assert run(*command) == 0
        out = capfd.readouterr().out
        assert "1 pictures without an annotation: c.jpg" in out
        assert "1 boxes are marked difficult and kept" in out
        assert " ".join(out.split()).find("1 objects without a box, left out a.xml") > 0
    assert run("convert", root, tmp_path / "skipped", "--no-duplicates", "--skip-difficult") == 0
    assert "boxes marked difficult, left out" in capfd.readouterr().out


def test_refusals_name_the_option_that_helps(make_voc, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shares, face = ("with_mask", 0.1, 0.2, 0.5, 0.6), ("with_mask", 1, 2, 30, 40)
    root = make_voc({"a": [shares], "b": [face], "c": [face], "d": [face]})
    xml = root / "annotations" / "b.xml"
    xml.write_text(xml.read_text().replace("<width>96", "<width>40"))
    for option in ("shares", "pixels"):
        assert run("convert", root, tmp_path / "out", "--no-duplicates", "--keep-going", "--overwrite") == 2
        err = capfd.readouterr().err
        assert f"--coordinates {option}" in err
        assert err.count("\n") == 2
    assert run("convert", root, tmp_path / "px", "--no-duplicates", "--coordinates", "pixels") == 0
    assert run("convert", root, tmp_path / "crops", "--crops", "--no-duplicates", "--coordinates", "pixels") == 0


def test_a_picture_of_another_kind_is_no_fault_of_boxes(make_voc, capfd: pytest.CaptureFixture[str]) -> None:
    root = make_voc({"a": [("with_mask", 1, 2, 30, 40)], "b": []})
    (root / "images" / "b.jpg").rename(root / "images" / "b.jfif")
    assert run("data", "check", root, "--no-duplicates", "--fail-on", "boxes") == 0
    assert "pictures that training does not take as they are" in capfd.readouterr().out
    xml = root / "annotations" / "a.xml"
    xml.write_text(xml.read_text().replace("<xmax>30<", "<xmax>130<"))
    assert run("data", "check", root, "--no-duplicates", "--fail-on", "boxes") == 1
