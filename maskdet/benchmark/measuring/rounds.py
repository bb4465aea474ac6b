"""Taking turns: every way is run once a round, so that whatever else the machine does hits all of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from maskdet.errors import MaskdetError
from maskdet.terminal.progress import ProgressBar

#: Figures of one run by name; the name ends with the unit.
Sample = Mapping[str, float]
Way = Callable[[], Sample]


@dataclass(slots=True)
class Rounds:
    """What came of taking turns.

    Attributes:
        samples: by way, one sample a round.
        failed: by way, why it could not be run; such a way has no samples.
    """

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def medians(self, way: str) -> dict[str, float]:
        """Return the median of each figure over the rounds that have it; nothing for a way that was not run.

        >>> Rounds({"a": [{"s": 1.0}, {"s": 9.0}, {"s": 2.0, "mb": 7.0}]}).medians("a")
        {'s': 2.0, 'mb': 7.0}
        """
        samples = self.samples.get(way, [])
        names = dict.fromkeys(name for sample in samples for name in sample)
        return {name: statistics.median(one[name] for one in samples if name in one) for name in names}

    def ratio(self, above: str, below: str, figure: str) -> float | None:
        """Return the median over the rounds of one way's figure divided by another's of the same round.

        A load that comes and goes hits both figures of a round alike, and cancels; in a ratio of medians it would not.

        >>> rounds = Rounds({"a": [{"s": 2.0}, {"s": 40.0}], "b": [{"s": 1.0}, {"s": 20.0}]})
        >>> rounds.ratio("a", "b", "s")
        2.0
        """
        pairs = zip(self.samples.get(above, []), self.samples.get(below, []), strict=False)
        ratios = [one[figure] / other[figure] for one, other in pairs if figure in one and other.get(figure, 0) > 0]
        return statistics.median(ratios) if ratios else None


def alternate(
    ways: Mapping[str, Way],
    runs: int,
    *,
    optional: Collection[str] = (),
    warm_up: bool = True,
    label: str = "benchmark",
    quiet: bool = True,
) -> Rounds:
    """Run every way once unmeasured, so that caches are warm for all, and then once a round.

    Args:
        ways: what to run, by name.
        runs: rounds.
        optional: ways that may fail: such a one is left out from then on.
        warm_up: run the unmeasured round.
        label: the words before the progress bar.
        quiet: draw no progress bar.

    Raises:
        MaskdetError: a way failed that is not optional.
    """
    rounds = Rounds({name: [] for name in ways})
    with ProgressBar(label, total=len(ways) * (runs + warm_up), quiet=quiet) as bar:
        for number in range(runs + warm_up):
            for name, way in ways.items():
                if name not in rounds.failed:
                    try:
                        sample = way()
                    except MaskdetError as error:
                        if name not in optional:
                            raise
                        rounds.failed[name] = str(error)
                        rounds.samples[name] = []
                    else:
                        if number or not warm_up:
                            rounds.samples[name].append(sample)
                bar.advance()
    return rounds
