from __future__ import annotations

import numpy as np
import pytest

from maskdet.detector.evaluation.labelled_split import in_classes, match_names, scored_ids, unmatched
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import WeightsError


def test_the_same_name_counts_before_the_same_meaning() -> None:
    assert match_names(["mask", "Face Mask", "helmet"], ["face_mask", "Helmet"]).tolist() == [-1, 0, 1]
    assert match_names(["a", "a"], ["a", "a"]).tolist() == [0, 1]


def test_boxes_of_classes_without_labels_are_left_out() -> None:
    found = Detections(
        np.array([[0, 0, 1, 1], [2, 2, 3, 3], [4, 4, 5, 5]], np.float32),
        np.array([0.9, 0.8, 0.7], np.float32),
        np.array([2, 0, 1]),
        np.array([[0.1, 0.2, 0.9], [0.8, 0, 0], [0.1, 0.7, 0]], np.float32),
    )
    ids = scored_ids(["person", "dog", "head"], ["helmet", "head", "person"], "m.onnx")
    kept = in_classes(found, ids, 3)
    assert kept.class_ids.tolist() == [1, 2]
    assert kept.boxes[:, 0].tolist() == [0, 2]
    assert kept.scores is not None
    assert kept.scores.tolist() == np.array([[0, 0.9, 0.1], [0, 0, 0.8]], np.float32).tolist()
    assert scored_ids(["a", "b"], ["a", "b"], "m.onnx") is None
    assert in_classes(found, None, 3) is found


def test_nothing_in_common_is_one_line() -> None:
    with pytest.raises(WeightsError, match="its classes are person, dog: scoring matches names of head"):
        scored_ids(["person", "dog"], ["head"], "m.onnx")
    assert unmatched(["head"], ["head"]) is None
