from __future__ import annotations

import pytest

from maskdet.benchmark.folder import sample_of, steady_seconds
from maskdet.benchmark.growth import per_doubling
from maskdet.benchmark.runs import Rounds, Sample, alternate
from maskdet.benchmark.section import Row
from maskdet.errors import MaskdetError


def test_every_way_takes_its_turn_once_a_round() -> None:
    called: list[str] = []

    def way(name: str) -> Sample:
        called.append(name)
        return {"s": float(len(called))}

    rounds = alternate({"a": lambda: way("a"), "b": lambda: way("b")}, 2)
    assert called == ["a", "b"] * 3
    assert rounds.samples == {"a": [{"s": 3.0}, {"s": 5.0}], "b": [{"s": 4.0}, {"s": 6.0}]}  # 1 and 2: warming up
    assert rounds.medians("a") == {"s": 4.0}

    called.clear()
    assert alternate({"a": lambda: way("a")}, 1, warm_up=False).samples == {"a": [{"s": 1.0}]}


def test_an_optional_way_may_fail_and_is_tried_once() -> None:
    tried = []

    def fails() -> Sample:
        tried.append(1)
        raise MaskdetError("no such tool")

    rounds = alternate({"ours": lambda: {"s": 1.0}, "theirs": fails}, 3, optional={"theirs"})
    assert (len(tried), len(rounds.samples["ours"])) == (1, 3)
    assert rounds.failed == {"theirs": "no such tool"}
    assert rounds.medians("theirs") == {}
    assert rounds.ratio("theirs", "ours", "s") is None
    row = Row.of(rounds, "theirs", "theirs go", times=None)
    assert (row.note, row.figures) == ("no such tool", {})
    with pytest.raises(MaskdetError, match="no such tool"):
        alternate({"theirs": fails}, 1)


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    # Round by round 2, 3 and 2; of the medians it would be 8 / 3.
    rounds = Rounds({"a": [{"s": 2.0}, {"s": 9.0}, {"s": 8.0}], "b": [{"s": 1.0}, {"s": 3.0}, {"s": 4.0}]})
    assert rounds.ratio("a", "b", "s") == 2.0
    assert rounds.ratio("a", "b", "mb") is None
    assert Rounds({"a": [{"s": 1.0}], "b": [{"s": 0.0}]}).ratio("a", "b", "s") is None


def test_steady_is_all_less_the_first() -> None:
    # 3 s to start, 0.5 s a picture: 9 pictures 7.5 s, one 3.5 s, and 4.5 s without the start.
    assert steady_seconds(7.5, 3.5, 9) == 4.5
    assert steady_seconds(3.0, 3.5, 9) is None
    assert steady_seconds(7.5, 3.5, 1) is None
    sample = sample_of({"wall_s": 7.5, "peak_mb": 80.0}, {"wall_s": 3.5, "peak_mb": 70.0}, 9)
    assert sample == {"wall_s": 7.5, "peak_mb": 80.0, "start_s": 3.5, "steady_s": 4.5, "each_ms": 500.0}
    assert "steady_s" not in sample_of({"wall_s": 3.0}, {"wall_s": 3.5}, 9)


def test_growth_a_doubling() -> None:
    assert per_doubling(2.0, 2.0) == 2.0
    assert per_doubling(16.0, 4.0) == 4.0
    assert per_doubling(1.0, 10.0) == 1.0
