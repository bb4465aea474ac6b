from __future__ import annotations

import json
from types import ModuleType

import pytest

from maskdet.classifier.study.report.terminal import print_study, to_dict
from maskdet.classifier.study.sections import score_runs


def test_the_table(made: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    records = made.crop_records()
    print_study(score_runs(made.whole_study(records), records, resamples=20))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "Two classes, the study's split by crop"
    vgg = next(line for line in lines if line.startswith(" VGG19"))
    floor = next(line for line in lines if "floor: with_mask (43)" in line)
    assert vgg.split()[1:3] == ["17.5", "20.9"]  # 138 of 790; 9 of 43
    assert floor.split()[-4:] == ["20.9", "0.442", "0.500", "0.500"]
    assert any("0 of 21 pairs differ" in line for line in lines)


def test_it_fits_eighty_columns(
    made: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskdet.terminal.console._PIPE_WIDTH", 80)
    records = made.crop_records()
    print_study(score_runs(made.whole_study(records), records, resamples=20))
    out = capsys.readouterr().out
    assert "MobileNetV2 " in out
    assert "ResNet50, from scratch" in out
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= 80


def test_json(made: ModuleType) -> None:
    records = made.crop_records()
    content = json.loads(json.dumps(to_dict(score_runs(made.whole_study(records), records, resamples=0))))
    assert content["schema"] == "maskdet-study/1"
    study, grouped, three = content["sections"]
    vgg = study["networks"][4]
    assert (vgg["network"], vgg["crops"], vgg["wrong"], vgg["confusion"]) == ("vgg19", 43, 9, [[34, 0], [9, 0]])
    assert vgg["error"]["value"] == vgg["floor"]["error"] == 0.209302
    assert vgg["floor"]["answer"] == "with_mask"
    # 138 of 790
    assert {key: round(value, 4) for key, value in vgg["study_error"].items()} == {
        "value": 0.1747, "low": 0.1498, "high": 0.2027,
    }  # fmt: skip
    assert vgg["per_class"]["without_mask"] == {"precision": 0, "recall": 0, "f1": 0, "support": 9}
    assert study["networks"][5]["study_error"] is None  # from scratch: the study has no such training
    assert [network["folds"] for network in grouped["networks"]] == [[0, 1, 2]] * 3
    assert {(pair["first"], pair["second"]) for pair in grouped["pairs"]} == {
        ("CNN-A", "CNN-B"), ("CNN-A", "MobileNetV2"), ("CNN-B", "MobileNetV2"),
    }  # fmt: skip
    assert three["classes"] == ["with_mask", "without_mask", "mask_weared_incorrect"]
