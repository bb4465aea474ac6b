"""The study's printed numbers fit together: each derived one gives the printed one back, to its last digit."""

from __future__ import annotations

import numpy as np
import pytest

from maskdet.classifier.networks.specs import STUDY_NETWORKS
from maskdet.classifier.study import published
from maskdet.classifier.study.published import OWN, TRANSFER


def test_every_network_of_the_study_is_there_in_its_order() -> None:
    assert [*OWN, *TRANSFER] == list(STUDY_NETWORKS)


def test_the_parts_are_the_data() -> None:
    assert sum(published.CROPS) == 4072
    binary = sum(published.CROPS[:2])
    assert binary == 3949 == sum(published.TRANSFER_PARTS)
    # One crop of the three parts is lost, or 394 is a typo.
    assert sum(published.OWN_PARTS) == binary - 1


def test_the_f1_column_is_a_constant() -> None:
    for row in published.F1_COLUMN:
        assert round(row.value, 4) == row.printed


@pytest.mark.parametrize(
    ("name", "fewest", "most", "low", "high"),
    [("cnn-a", 6, 9, 0.70, 4.28), ("cnn-b", 10, 13, 1.38, 5.56), ("cnn-c", 14, 17, 2.13, 6.80)],
)
def test_a_whole_per_cent_leaves_four_counts(name: str, fewest: int, most: int, low: float, high: float) -> None:
    own = OWN[name]
    assert own.test_wrong == (fewest, most)
    assert [round(100 * count / 394) for count in (fewest - 1, most + 1)] == [own.errors[2] - 1, own.errors[2] + 1]
    assert [100 * end for end in own.test_interval] == pytest.approx([low, high], abs=0.006)


def test_whether_the_own_networks_differ_is_not_printed() -> None:
    # 6 and 17 wrong, the 6 among the 17: 11 throws of one side. 9 and 14 wrong, none in common: 23 throws.
    least, greatest = published.p_of_own("cnn-a", "cnn-c")
    assert least == 2 / 2**11
    assert greatest == pytest.approx(0.4049, abs=5e-5)
    assert published.p_of_own("cnn-c", "cnn-a") == (least, greatest)


def test_the_listed_crops_fit_cnn_b_alone() -> None:
    listed = published.LISTED_MISSED + published.LISTED_FALSE_ALARMS
    fitting = [name for name, own in OWN.items() if own.test_wrong[0] <= listed <= own.test_wrong[1]]
    assert fitting == ["cnn-b"]


def test_the_f1_of_every_epoch_is_that_of_whole_crops() -> None:
    """2 · 68 / (395 - n + 68), n crops not counted: each printed value is that of a whole n, to the last digit."""
    assert [own.uncounted for own in OWN.values()] == [(0,), (0, 2), (17, 51, 57)]
    for own in OWN.values():
        for printed, n in zip(own.f1, own.uncounted, strict=True):
            assert round(2 * 68 / (395 - n + 68), 4) == printed


def test_dev_accuracies_are_whole_crops() -> None:
    for own in OWN.values():
        for printed in own.dev_accuracy:
            assert round(round(printed * 395) / 395, 4) == printed


@pytest.mark.parametrize("name", ["mobilenet_v2", "vgg19", "resnet50"])
def test_three_networks_answer_always_the_same(name: str) -> None:
    transfer = TRANSFER[name]  # type: ignore[index]
    assert transfer.constant
    assert np.sum(transfer.matrix, axis=0).tolist() == [790, 0]  # the support that their swapped reports print
    figures = transfer.figures
    with_mask, without = figures.classes
    assert round(figures.accuracy, 4) == 0.8253
    assert (round(with_mask.precision, 4), with_mask.recall, round(with_mask.f1, 4)) == (0.8253, 1, 0.9043)
    assert (without.precision, without.recall, without.f1) == (0, 0, 0)
    assert (round(figures.macro_f1, 4), figures.balanced_accuracy) == (0.4521, 0.5)


def test_inception_v3() -> None:
    transfer = TRANSFER["inception_v3"]
    assert not transfer.constant
    figures = transfer.figures
    rows = [[round(value, 4) for value in (row.precision, row.recall, row.f1)] for row in figures.classes]
    assert rows == [[0.9061, 0.8880, 0.8970], [0.5166, 0.5652, 0.5398]]
    assert [row.support for row in figures.classes] == [652, 138]
    assert (round(figures.accuracy, 4), round(figures.macro_f1, 4)) == (0.8316, 0.7184)
    assert round(figures.balanced_accuracy, 4) == 0.7266
    assert figures.wrong == 133


def test_all_print_the_same_accuracy_and_the_floor_does_too() -> None:
    floor = published.transfer_floor()
    for transfer in TRANSFER.values():
        assert round(transfer.figures.accuracy, 2) == transfer.accuracy
        assert transfer.figures.count == floor.count == 790
    assert round(1 - floor.error, 2) == 0.83
    assert round(floor.macro_f1, 4) == 0.4521


def test_a_constant_answer_explains_the_stuck_training() -> None:
    assert round(1 - 579 / 3159, 4) == published.STUCK_TRAIN_ACCURACY
    share = 579 / 3159
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert round(float(entropy), 3) == published.STUCK_LOSS
