from __future__ import annotations

import csv
import json
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("faster_coco_eval")

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def choose() -> Callable[[list[str]], None]:
    """Return the tool's ``main``."""
    main: Callable[[list[str]], None] = runpy.run_path(str(ROOT / "tools" / "choose_fusion.py"))["main"]
    return main


def test_a_right_classifier_beats_a_wrong_detector(
    choose: Callable[[list[str]], None],
    sure_of_masks: Path,
    two_photos: Path,
    tiny_classifier: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    models = ["--detector", str(sure_of_masks), "--classifier", str(tiny_classifier), "--data", str(two_photos)]
    files = ["--json", str(tmp_path / "out/grid.json"), "--csv", str(tmp_path / "out/grid.csv")]
    choose([*models, *files, "--weights", "0", "1", "--sides", "0", "32"])
    with (tmp_path / "out/grid.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["weight"], row["least_side"], row["accuracy"]) for row in rows] == [
        ("0.0", "0.0", "0.5"),
        ("1.0", "0.0", "1.0"),
        ("1.0", "32.0", "0.5"),
    ]
    read = json.loads((tmp_path / "out/grid.json").read_text())
    assert read["schema"] == "maskdet-fusion/1"
    assert read["data"] == {"name": "set/data.yaml", "split": "val", "photos": 2}
    assert [cell["accuracy"] for cell in read["cells"]] == [0.5, 1.0, 0.5]
    # Alone, the detector is as sure of the mask that is none as of the other: precision a half for class 0.
    assert [cell["ap50_with_mask"] for cell in read["cells"]] == [0.5, 1.0, 0.5]
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "sure and tiny on set/data.yaml (val), 2 photos; * the best of its column"
    assert out[3].split()[:3] == ["1", "0", "1.0000*"]


def test_what_cannot_be_used_is_one_line(
    choose: Callable[[list[str]], None],
    sure_of_masks: Path,
    two_photos: Path,
    tiny_classifier: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    models = ["--detector", str(sure_of_masks), "--classifier", str(tiny_classifier)]
    for arguments, message in (
        (["--data", "none.yaml"], "error: none.yaml: no such file"),
        (["--data", str(two_photos), "--weights", "2"], "error: the classifier's weight must be between 0 and 1"),
    ):
        with pytest.raises(SystemExit) as stop:
            choose([*models, *arguments])
        assert stop.value.code == 2
        assert capsys.readouterr().err.strip().splitlines()[-1].startswith(message)
