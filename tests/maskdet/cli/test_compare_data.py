from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from maskdet.cli import main
from maskdet.datasets.photos.seen import marks_of

pytest.importorskip("faster_coco_eval")

Run = Callable[..., tuple[int, str, str]]

#: A mask, 20 × 20 px around the middle of a 64 × 32 px input.
SURE: Final = [[32, 16, 20, 20, 0.8, 0.2, 0.0]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs ``maskdet compare``."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["compare", *args])
        captured = capsys.readouterr()
        code = stop.value.code
        assert isinstance(code, int)
        return code, captured.out, captured.err

    return call


def test_folds_each_by_its_own_pair(
    run: Run,
    tmp_path: Path,
    write_png: Callable[..., Path],
    write_classifier: Callable[..., Path],
    write_constant: Callable[..., Path],
) -> None:
    for number in (1, 2):
        write_png(f"folds/images/fold{number}/{number}.png", size=(32, 64), value=60 * number)
        (tmp_path / f"folds/labels/fold{number}").mkdir(parents=True)
        (tmp_path / f"folds/labels/fold{number}/{number}.txt").write_text("0 0.5 0.5 0.3125 0.625\n")
        names = "names: [with_mask, without_mask, mask_weared_incorrect]\n"
        (tmp_path / f"folds/fold{number}.yaml").write_text(
            f"train: images/fold{3 - number}\nval: images/fold{number}\n{names}"
        )
        write_constant(tmp_path / f"d{number}.onnx", SURE, {"number": str(number), "maskdet_seen": ""})
        write_classifier(tmp_path / f"c{number}.onnx", {"fold": str(number), "maskdet_seen": ""})
    base = ["--data", "folds", "--folds", "--weights", "d{fold}.onnx"]
    code, out, err = run(*base, "--classifier", "c{fold}.onnx", "--json", "-", "--quiet")
    assert (code, err) == (0, "")
    read = json.loads(out)
    assert read["command"] == (
        "maskdet compare --data folds --folds --weights 'd{fold}.onnx' --classifier 'c{fold}.onnx' "
        "--conf 0.25 --iou 0.7"
    )
    assert [model["name"] for model in read["classifiers"]] == ["c1", "c2"]
    assert read["ap"]["shipped"]["ap50"]["all"]["with_mask"]["folds"] == [1, 1]
    # What was said is kept on request, and the same figures come out of it without models and photos.
    classifier = ("--classifier", "c{fold}.onnx")
    code, *_ = run(*base, *classifier, "--answers", "answers.json.gz", "--quiet")
    assert code == 0
    shutil.move(tmp_path / "folds", tmp_path / "away")
    code, out, err = run("--data", "answers.json.gz", "--folds", "--json", "-", "--quiet")
    assert (code, err) == (0, "")
    again = json.loads(out)
    assert again.pop("command") == "maskdet compare --data answers.json.gz --folds --conf 0.25 --iou 0.7"
    assert again == {key: value for key, value in read.items() if key != "command"}
    with pytest.raises(SystemExit):
        main(["val", "data=answers.json.gz", "--folds", "--json", "detector.json", "--quiet"])
    detector = json.loads((tmp_path / "detector.json").read_text())
    assert detector["models"] == read["detectors"]
    assert detector["sets"]["all"]["recall"]["all"]["with_mask"]["folds"] == [1, 1]
    shutil.move(tmp_path / "away", tmp_path / "folds")
    for arguments, message in (
        ([*base], "--folds needs --weights and --classifier"),
        ([*base, "--classifier", "c1.onnx"], "needs {fold} in its name"),
        ([*base, "--save", "out"], "--split and --save have no meaning with --folds"),
        (["set", "--folds"], "--folds belongs to --data"),
        (["set", "--answers", "a.json.gz"], "--answers belongs to --folds"),
        ([*base, *classifier, "--answers", "a.txt"], "a.txt should end in .json.gz"),
        ([*base, "--data", "answers.json.gz"], "answers.json.gz holds what models said: leave out --weights"),
    ):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert message in err.strip().splitlines()[-1]
    # A classifier that has seen the photo of fold 2 is not scored on it, and one that says nothing neither.
    seen = marks_of([tmp_path / "folds/images/fold2/2.png"])
    for said, message in (
        ({"maskdet_seen": seen}, "c2: has seen 1 of the 1 photos that fold2 tests on, 2.png among them"),
        ({}, "c2: does not say which photos it was trained on"),
    ):
        write_classifier(tmp_path / "c2.onnx", {"fold": "2", **said})
        code, out, err = run(*base, "--classifier", "c{fold}.onnx", "--quiet")
        assert (code, out) == (2, "")
        assert message in err.strip().splitlines()[-1]
