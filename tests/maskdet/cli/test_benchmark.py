"""``maskdet benchmark`` itself: each section once, tiny, without ``yolo``; and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maskdet.benchmark import commands
from maskdet.benchmark import folder as folder_section
from maskdet.benchmark.detectors import runtimes_for
from maskdet.benchmark.section import DEFAULT, SECTIONS, Settings
from maskdet.cli import main

QUICK = ("--no-yolo", "--runs", "1", "--no-warm-up", "--imgsz", "64")


def run(*args: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["benchmark", *args])
    return int(stop.value.code or 0)


def report_of(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    assert run(*QUICK, *args, "--json", "-") == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert report["schema"] == "maskdet-benchmark/1"
    return report


def test_cold(capsys: pytest.CaptureFixture[str]) -> None:
    (section,) = report_of(capsys, "--only", "cold")["sections"]
    assert [row["name"] for row in section["rows"]] == ["maskdet detect", "maskdet --help"]
    for row in section["rows"]:
        assert row["figures"]["wall_s"] > 0
        assert len(row["rounds"]) == 1
    assert section["rows"][0]["command"].startswith("maskdet detect 00000.jpg --weights maskdet-n.onnx --imgsz 64")


def test_folder_and_video(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_section, "runtimes_for", lambda weights: runtimes_for(weights)[:1])
    report = report_of(capsys, "--only", "folder,video", "--limit", "2", "--frames", "2")
    assert report["command"] == (
        "maskdet benchmark --only folder,video --runs 1 --no-warm-up --limit 2 --frames 2 --no-yolo --imgsz 64"
    )
    for section, title in zip(report["sections"], ("2 generated photos", "2 frames of 1920×1080"), strict=True):
        assert section["title"].startswith(title)
        assert [row["name"] for row in section["rows"]] == [
            "maskdet detect (onnx)",
            "bare model (onnx)",
            "bare model (onnx), side by side",
        ]
        ours, bare, side_by_side = section["rows"]
        assert {"wall_s", "start_s"} <= set(ours["figures"])
        assert bare["figures"]["steady_s"] > 0
        assert side_by_side["figures"]["share_of_bare"] == 1


def test_classifier(capsys: pytest.CaptureFixture[str], tiny_classifier: Path) -> None:
    assert run(*QUICK, "--only", "classifier", "--classifier", str(tiny_classifier)) == 0
    out = capsys.readouterr().out
    assert "Face crops, tiny at 8 px" in out
    assert "from crops, batch 16" in out


def test_converter_and_size(capsys: pytest.CaptureFixture[str]) -> None:
    report = report_of(capsys, "--only", "converter,size", "--sizes", "2")
    converter, size = report["sections"]
    ours, plain = converter["rows"]
    assert (ours["name"], plain["name"]) == ("maskdet convert, 2 files", "plain script, 2 files")
    wall = plain["figures"]["wall_s"] / ours["figures"]["wall_s"]
    assert ours["figures"]["times_faster"] == pytest.approx(wall, abs=1e-3)
    assert [row["name"] for row in size["rows"]] == ["2 photos"]
    assert "time_doubled" not in size["rows"][0]["figures"]


def test_without_ultralytics_the_rows_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maskdet.benchmark import cold
    from maskdet.benchmark.runs import Usage

    monkeypatch.setattr(commands, "yolo_is_there", lambda: False)
    monkeypatch.setattr(commands, "measure", lambda *_, **__: Usage(1.0, 0.5, 80.0, ""))
    section = cold.measure_cold(Settings(imgsz=64, runs=1, quiet=True), tmp_path)
    assert [(row.name, row.note) for row in section.rows] == [
        ("maskdet detect", None),
        ("yolo predict", "not installed"),
        ("maskdet --help", None),
        ("yolo help", "not installed"),
    ]
    assert section.rows[0].figures == {"wall_s": 1.0, "cpu_s": 0.5, "peak_mb": 80.0}


def test_beside_yolo_there_are_ratios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maskdet.benchmark.folder import measure_folder
    from maskdet.benchmark.runs import Usage

    # Start-up and seconds a photo of ours, of yolo and of yolo with all cores; the bare model takes 0.5 s a
    # photo, one after another as side by side.
    costs = {"maskdet": (1.0, 0.625), "yolo": (6.0, 1.25), "(torch.set_num_threads(2))": (6.0, 1.0)}

    def fake(argv: tuple[str, ...], _folder: Path, *, shown: str) -> Usage:
        if shown.startswith("python"):
            return Usage(9.0, 9.0, 9.0, json.dumps({"seconds": 2.0, "count": 4}))
        start, each = costs[shown.split(maxsplit=1)[0]]
        photos = 4 if any(word.endswith("photos") for word in argv) else 1
        return Usage(start + each * photos, None, 80.0, "")

    monkeypatch.setattr(commands, "yolo_is_there", lambda: True)
    monkeypatch.setattr(folder_section, "usable_cores", lambda: 2)
    monkeypatch.setattr(commands, "measure", fake)
    monkeypatch.setattr(folder_section, "runtimes_for", lambda weights: runtimes_for(weights)[:1])
    rows = {row.name: row.figures for row in measure_folder(Settings(imgsz=64, limit=4, quiet=True), tmp_path).rows}
    assert list(rows) == [
        "maskdet detect (onnx)",
        "bare model (onnx)",
        "bare model (onnx), side by side",
        "yolo predict",
        "yolo predict, 2 threads",
    ]
    ours = rows["maskdet detect (onnx)"]
    assert (ours["wall_s"], ours["start_s"], ours["steady_s"], ours["each_ms"]) == (3.5, 1.625, 2.5, 625.0)
    assert ours["share_of_bare"] == 0.8
    assert ours["times_yolo"] == pytest.approx(11 / 3.5)
    assert rows["yolo predict"]["share_of_bare"] == 0.4
    assert rows["yolo predict, 2 threads"]["share_of_bare"] == 0.5


def test_int8_and_bfloat16_stand_beside_float32(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maskdet.benchmark.detectors import RuntimeChoice
    from maskdet.benchmark.folder import measure_folder
    from maskdet.benchmark.runs import Usage

    choices = [
        RuntimeChoice("openvino", ("--runtime", "openvino")),
        RuntimeChoice("openvino", ("--runtime", "openvino", "--precision", "bf16"), "bf16"),
        RuntimeChoice("openvino", ("--runtime", "openvino"), int8=Path("/models/maskdet-n-int8.onnx")),
    ]

    def fake(argv: tuple[str, ...], folder: Path, *, shown: str) -> Usage:
        # Nothing that is shown names the folder that was made up for this run.
        assert folder.name not in shown
        each = 0.25 if "int8" in shown else 0.5 if "bf16" in shown else 1.0
        if shown.startswith("python"):
            return Usage(9.0, 9.0, 9.0, json.dumps({"seconds": 4 * each, "count": 4}))
        photos = 4 if any(word.endswith("photos") for word in argv) else 1
        return Usage(1 + each * photos, None, 80.0, "")

    monkeypatch.setattr(commands, "yolo_is_there", lambda: True)
    monkeypatch.setattr(commands, "measure", fake)
    monkeypatch.setattr(folder_section, "runtimes_for", lambda weights: choices[:1])
    monkeypatch.setattr(folder_section, "with_bfloat16", lambda found: choices)
    rows = {row.name: row for row in measure_folder(Settings(imgsz=64, limit=4, quiet=True), tmp_path).rows}
    assert {name: row.figures.get("times_fp32") for name, row in rows.items() if "openvino" in name} == {
        "maskdet detect (openvino)": None,
        "bare model (openvino)": None,
        "bare model (openvino), side by side": None,
        "maskdet detect (openvino, bf16)": 2.0,
        "bare model (openvino, bf16), side by side": 2.0,
        "maskdet detect (openvino, int8)": 4.0,
        "bare model (openvino, int8), side by side": 4.0,
    }
    # Each beside its own bare model; the bare models beside the first runtime's.
    assert [row.figures["share_of_bare"] for name, row in rows.items() if name.startswith("maskdet")] == [1, 1, 1]
    assert [row.figures["share_of_bare"] for name, row in rows.items() if "side by side" in name] == [1, 2, 4]
    shown = rows["bare model (openvino, bf16), side by side"].command
    assert shown is not None
    assert shown.endswith("--side-by-side --precision bf16")
    assert "--weights maskdet-n-int8.onnx" in str(rows["maskdet detect (openvino, int8)"].command)


def test_growth_is_compared_with_the_row_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maskdet.benchmark import growth
    from maskdet.benchmark.runs import Usage

    def fake(argv: tuple[str, ...], _folder: Path, *, shown: str) -> Usage:
        name = next(Path(word).name for word in argv if "photos-" in word or word.endswith("one"))
        photos = int(name.partition("-")[2] or 1)
        return Usage(1.0 + photos, None, 50.0 + photos, "")

    monkeypatch.setattr(commands, "measure", fake)
    section = growth.measure_size(Settings(imgsz=64, sizes=(2, 8), quiet=True), tmp_path)
    first, second = (row.figures for row in section.rows)
    assert (first["steady_s"], second["steady_s"]) == (2.0, 8.0)
    assert second["time_doubled"] == 2.0  # four times as long for four times as many
    assert second["memory_doubled"] == pytest.approx((58 / 52) ** 0.5)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--only", "cold,speed"), "'speed' is no section; choose from cold, folder"),
        (("--only", ","), "names no section"),
        (("--sizes", "10"), "--sizes belongs to the sections converter and size"),
        (("--only", "size", "--sizes", "10,x"), "'10,x' is no list of whole numbers from 2"),
        (("--only", "size", "--sizes", "1"), "'1' is no list of whole numbers from 2"),
        (("/no/such/folder",), "does not exist"),
        (("--only", "cold", "--weights", "none.onnx"), "none.onnx: no such file"),
        (("--only", "folder", "--yolo-weights", "none.pt"), "none.pt: no such file"),
        (("--only", "cold", "--json", "/no/such/a.json"), "its folder does not exist"),
    ],
)
def test_bad_input_is_one_line(args: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*args) == 2
    captured = capsys.readouterr()
    assert said in " ".join(captured.err.split())
    assert captured.out == ""


def test_the_quick_ones_run_by_default() -> None:
    assert set(DEFAULT) < set(SECTIONS)
    assert not {"converter", "size"} & set(DEFAULT)


def test_the_command_line_names_what_was_asked_for_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    report = report_of(capsys, "--only", "classifier")
    assert report["command"] == "maskdet benchmark --only classifier --runs 1 --no-warm-up --no-yolo --imgsz 64"
