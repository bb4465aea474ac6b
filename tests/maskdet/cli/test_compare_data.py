from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from maskdet.cli import main

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
        write_constant(tmp_path / f"d{number}.onnx", SURE, {"number": str(number)})
        write_classifier(tmp_path / f"c{number}.onnx", {"fold": str(number)})
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
    for arguments, message in (
        ([*base], "--folds needs --weights and --classifier"),
        ([*base, "--classifier", "c1.onnx"], "needs {fold} in its name"),
        ([*base, "--save", "out"], "--split and --save have no meaning with --folds"),
        (["set", "--folds"], "--folds belongs to --data"),
    ):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert message in err.strip().splitlines()[-1]
