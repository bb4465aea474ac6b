from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.benchmark.inputs import voc_samples, write_voc
from maskdet.benchmark.plain_convert import convert as plain_convert
from maskdet.datasets.convert import ConvertOptions
from maskdet.datasets.convert import convert as our_convert


def labels(out: Path) -> dict[str, str]:
    """Return each label file's text by name, whichever part of the split it is in."""
    return {path.name: path.read_text() for path in out.glob("labels/*/*.txt")}


def both(voc: Path, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    plain_convert(voc, folder / "plain")
    our_convert(voc, folder / "ours", ConvertOptions(duplicates=False, quiet=True))
    return labels(folder / "plain"), labels(folder / "ours")


def test_the_plain_script_writes_the_same_labels(tmp_path: Path) -> None:
    voc = write_voc(tmp_path / "voc", voc_samples(None, tmp_path / "originals", 40), 40)
    plain, ours = both(voc, tmp_path)
    assert len(ours) == 40
    assert plain == ours
    assert sorted(path.name for path in (tmp_path / "plain/images").glob("*/*")) == sorted(
        path.name for path in (tmp_path / "ours/images").glob("*/*")
    )
    assert len(list((tmp_path / "plain/images/val").iterdir())) == 8


def test_also_on_the_real_photos(tmp_path: Path, real_data: Path) -> None:
    samples = voc_samples(real_data, tmp_path / "none", 60)
    plain, ours = both(write_voc(tmp_path / "voc", samples, 60), tmp_path)
    assert len(ours) == 60
    assert plain == ours


def test_a_data_set_is_repeated_up_to_the_size(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(
        "<annotation><object><name>with_mask</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>8</ymax>"
        "</bndbox></object></annotation>"
    )
    picture = voc_samples(None, tmp_path / "originals", 1)[0].picture
    (tmp_path / "a.jpg").write_bytes(picture.read_bytes())
    voc = write_voc(tmp_path / "out", voc_samples(tmp_path, tmp_path / "none", 5), 3)
    assert sorted(path.name for path in (voc / "images").iterdir()) == ["000000.jpg", "000001.jpg", "000002.jpg"]
    assert "<annotation><filename>000002.jpg</filename><object>" in (voc / "annotations/000002.xml").read_text()
    assert picture.read_bytes() == (voc / "images/000001.jpg").read_bytes()


@pytest.mark.parametrize("count", [1, 20])
def test_generated_boxes_lie_inside(tmp_path: Path, count: int) -> None:
    samples = voc_samples(None, tmp_path / "originals", count)
    assert len(samples) == count
    voc = write_voc(tmp_path / "voc", samples, count)
    if count > 1:
        audit = our_convert(voc, tmp_path / "ours", ConvertOptions(duplicates=False, quiet=True))
        assert {mend.kind for mend in audit.mends} <= {"repeated", "conflict"}
