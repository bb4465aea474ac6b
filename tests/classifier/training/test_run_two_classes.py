from __future__ import annotations

from dataclasses import replace

import numpy as np

from maskdet.classifier.training.run import NetworkRun, Predictions, is_view, two_class_views

CROPS = Predictions(
    ("a", "b", "c", "d"),
    np.array([0, 2, 1, 1]),
    np.array([[0.6, 0.2, 0.2], [0.1, 0.1, 0.8], [0.3, 0.1, 0.6], [0.0, 0.0, 1.0]]),
)
RUN = NetworkRun(
    name="maskdet-c", title="maskdet-c (some network)", task="three", protocol="study", fold=None, weights="imagenet",
    frozen=False, recipe={}, seed=0, parameters=7, trainable=7, epochs=(), best_epoch=0, ms_per_crop=1.0,
    parts={"train": CROPS, "dev": CROPS, "test": CROPS},
)  # fmt: skip


def test_the_third_class_is_left_out_and_its_probability_shared() -> None:
    (view,) = two_class_views([RUN])
    assert (view.task, view.classes, view.title) == (
        "binary",
        ("with_mask", "without_mask"),
        "maskdet-c, asked with or without",
    )
    for part in view.parts.values():
        assert part.crops == ("a", "c", "d")
        assert part.labels.tolist() == [0, 1, 1]
        # .6 : .2, .3 : .1, and nothing known
        np.testing.assert_allclose(part.probabilities, [[0.75, 0.25], [0.75, 0.25], [0.5, 0.5]])
    assert is_view(view)
    assert not is_view(RUN)
    assert RUN.parts["test"] is CROPS


def test_two_classes_have_no_view() -> None:
    assert two_class_views([replace(RUN, task="binary")]) == []
    # The study's networks answer its question themselves.
    assert two_class_views([replace(RUN, name="cnn-a")]) == []
