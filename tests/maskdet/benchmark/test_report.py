from __future__ import annotations

import pytest

from maskdet.benchmark.commands import maskdet, module, yolo, yolo_all_cores
from maskdet.benchmark.report import BenchmarkReport, Machine, cells, print_section
from maskdet.benchmark.section import Column, Row, Section

MACHINE = Machine("Z80", 2, None, "CP/M 2.2", "3.11.7", None, {"onnxruntime": "1.0", "torch": None})
COLUMNS = (Column("wall_s", "wall, s"), Column("peak_mb", "peak MB", 0), Column("times", "times", 1, "> 1"))
ROWS = (
    Row("ours", {"wall_s": 1.23456, "peak_mb": 1234.5, "times": 8.76}, "maskdet detect", rounds=({"wall_s": 1.23456},)),
    Row("theirs", {"wall_s": 10.0}, "yolo predict"),
    Row("gone", note="not installed"),
    Row("broken", note="yolo predict: failed with exit code 1: No module named 'onnx'"),
)
SECTION = Section("cold", "One photo [cold]", COLUMNS, ROWS, ("a note",))


def test_cells() -> None:
    assert cells(ROWS[0], COLUMNS) == ["1.23", "1,234", "8.8"]  # 1234.5 is rounded to even
    assert cells(ROWS[1], COLUMNS) == ["10.00", "–", "–"]
    assert cells(ROWS[2], COLUMNS) == ["not installed", "–", "–"]
    assert cells(ROWS[3], COLUMNS) == ["failed", "–", "–"]


def test_the_printed_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_section(SECTION, MACHINE)
    out = capsys.readouterr().out
    assert out.startswith("Z80, 2 cores, CP/M 2.2, Python 3.11.7\nOne photo [cold]")
    for text in ("target > 1", "1,234", "not installed", "a note", "broken: yolo predict: failed with exit code 1"):
        assert text in out


def test_the_json_object() -> None:
    report = BenchmarkReport("maskdet benchmark --only cold", MACHINE, 3, [SECTION]).to_dict()
    assert list(report) == ["schema", "command", "machine", "runs", "sections"]
    assert report["schema"] == "maskdet-benchmark/1"
    assert report["machine"]["packages"] == {"onnxruntime": "1.0", "torch": None}
    (section,) = report["sections"]
    assert section["columns"] == {"wall_s": "wall, s", "peak_mb": "peak MB", "times": "times"}
    assert section["targets"] == {"times": "> 1"}
    assert section["rows"][0] == {
        "name": "ours",
        "command": "maskdet detect",
        "note": None,
        "figures": {"wall_s": 1.2346, "peak_mb": 1234.5, "times": 8.76},
        "rounds": [{"wall_s": 1.2346}],
    }
    assert section["rows"][2]["note"] == "not installed"


def test_commands_are_shown_without_folders() -> None:
    command = maskdet("detect", "/data/a b.jpg", "--conf", "0.5")
    assert command.shown == "maskdet detect 'a b.jpg' --conf 0.5"
    assert command.argv[-4:] == ("detect", "/data/a b.jpg", "--conf", "0.5")
    assert yolo("predict", "model=/w/best.pt", "imgsz=64").shown == "yolo predict model=best.pt imgsz=64"
    spread = yolo_all_cores(4, "predict")
    assert (spread.shown, spread.argv[-2:]) == ("(torch.set_num_threads(4)) yolo predict", ("4", "predict"))
    assert module("maskdet.benchmark.bare", "/x/y").shown == "python -m maskdet.benchmark.bare y"
