from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskdet.classifier.crops.crop_set import CropSet
from maskdet.classifier.networks.build import build_network

torch = pytest.importorskip("torch")

from maskdet.classifier.study.collapse import CollapseOptions, _dead_units, run_collapse  # noqa: E402
from maskdet.classifier.training.batches import FeatureBatches  # noqa: E402


def test_every_setting_is_tried_once_with_every_seed(many_faces: CropSet, tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = tmp_path / "mobilenet.pth"
    torch.save(build_network("mobilenet_v2", "none").backbone.state_dict(), weights)
    few = replace(
        many_faces, records=many_faces.records[:26], patches=many_faces.patches[:26], boxes=many_faces.boxes[:26]
    )
    told: list[object] = []
    options = CollapseOptions(
        weights=weights, batches=(1, 8), rates=(1e-3,), seeds=(0,), epochs=1, quiet=True, report=told.append
    )
    rows = list(run_collapse(few, options))
    assert [(row.scaling, row.batch) for row in rows] == [("1/255", 8), ("imagenet", 8), ("1/255", 1), ("imagenet", 1)]
    assert told == rows
    assert [*run_collapse(few, options, rows)] == []
    assert len(told) == 4
    # A random backbone in evaluation gives next to nothing: there is nothing to learn from, and all answers are alike.
    assert all(row.collapsed and row.test_balanced_accuracy == 0.5 for row in rows)


def test_a_unit_is_dead_when_no_crop_wakes_it() -> None:
    head = torch.nn.Sequential(torch.nn.Linear(1, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    with torch.no_grad():
        head[0].weight.copy_(torch.tensor([[1.0], [-1.0], [0.0], [0.0]]))
        head[0].bias.copy_(torch.tensor([0.0, 0.5, -1.0, 1.0]))
    features = np.array([[[1.0], [2.0], [0.0]]], np.float16)
    batches = FeatureBatches(features, np.zeros(3, np.int64))
    # Of 1 and 2, the first and the last unit fire; 0 wakes the second as well; the third never fires.
    assert _dead_units(head, batches, np.array([0, 1])) == 0.5
    assert _dead_units(head, batches, np.array([0, 1, 2])) == 0.25
