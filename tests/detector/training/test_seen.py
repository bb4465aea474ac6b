from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.datasets.photos.seen import KEY, marks_of
from maskdet.detector.training.seen import SEEN_FILE, note_seen, seen_before

onnx = pytest.importorskip("onnx")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    return path


def write_onnx(path: Path, metadata: dict[str, str]) -> Path:
    graph = onnx.helper.make_graph([], "nothing", [], [])
    model = onnx.helper.make_model(graph)
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def test_a_run_notes_its_photos_and_those_of_its_start(photo: Path, tmp_path: Path) -> None:
    run = tmp_path / "train"
    run.mkdir()
    note_seen(run, [photo], "00000000")
    assert (run / SEEN_FILE).read_text() == "".join(sorted(["00000000", marks_of([photo])])) + "\n"
    assert seen_before(run / "weights" / "last.pt") == marks_of([photo], "00000000")
    # Where nothing is known of the start, nothing is said of the run.
    note_seen(run, [photo], None)
    assert not (run / SEEN_FILE).exists()


def test_what_a_start_has_seen(tmp_path: Path) -> None:
    assert seen_before(tmp_path / "somewhere" / "yolov8n.pt") == ""
    (tmp_path / "maskdet.yaml").write_text("close_up: 0.3\n")
    assert seen_before(tmp_path / "weights" / "last.pt") is None
    assert seen_before(write_onnx(tmp_path / "ours.onnx", {"maskdet_training": "{}"})) is None
    assert seen_before(write_onnx(tmp_path / "new.onnx", {"maskdet_training": "{}", KEY: "01234567"})) == "01234567"
    assert seen_before(write_onnx(tmp_path / "others.onnx", {})) == ""
