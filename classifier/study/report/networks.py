"""One table a network: errors of people, of training, dev and test crops, and which of bias and variance is more.

The rule: avoidable bias is the train error less that of people, variance the dev error less the train error (Ng,
Machine Learning Yearning, 2018, chapters 20 to 23); the larger of the two dominates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from maskdet.classifier.networks.specs import STUDY_NETWORKS
from maskdet.classifier.study.published import HUMAN_ERROR, OWN, TRANSFER
from maskdet.classifier.study.report.text import NONE, error_intervals, percent, table
from maskdet.classifier.study.sections import Entry, Section

RULE: Final = (
    "People get no crop wrong, says the study. **Avoidable bias** is the train error less people's, **variance** the "
    "dev error less the train error, both in points of a per cent; the larger of the two dominates, and says whether a "
    "network should learn more (a larger one, longer) or vary less (more photos, more augmentation). Train error is "
    "the kept network's on training crops as they are. Dev is a few hundred crops: differences of a point are chance."
)


def reading(train: float, dev: float) -> str:
    """Return which of bias and variance dominates, with both in points.

    >>> reading(0.03, 0.04), reading(0.01, 0.04), reading(0.02, 0.04)
    ('bias dominates (3.00 against 1.00)', 'variance dominates (3.00 against 1.00)', 'both alike (2.00 against 2.00)')
    >>> reading(0.0, -0.0), reading(0.02, 0.01)
    ('neither is there to see', 'bias dominates (2.00 against -1.00)')
    """
    bias, variance = (round(100 * value, 2) for value in (train - HUMAN_ERROR, dev - train))
    if max(bias, variance) <= 0:
        return "neither is there to see"
    if bias == variance:
        return f"both alike ({bias:.2f} against {variance:.2f})"
    name = "bias" if bias > variance else "variance"
    return f"{name} dominates ({max(bias, variance):.2f} against {min(bias, variance):.2f})"


def network_tables(sections: Sequence[Section]) -> str:
    """Return a table for each network that was trained, the study's first, and its reading in a sentence."""
    found: dict[str, list[tuple[Section, Entry]]] = {name: [] for name in STUDY_NETWORKS}
    for section in sections:
        for entry in section.entries:
            found.setdefault(entry.run.name, []).append((section, entry))
    parts = [_network(name, entries) for name, entries in found.items() if entries]
    return "\n\n".join([RULE, *parts])


def _network(name: str, entries: Sequence[tuple[Section, Entry]]) -> str:
    rows, readings = [], []
    human = percent(HUMAN_ERROR)
    if name in OWN:
        train, dev, test = OWN[name].errors
        rows.append(["the study printed", human, f"{train} %", f"{dev} %", f"{test} %"])
        readings.append(f"as the study printed it, {reading(train / 100, dev / 100)}")
    elif name in TRANSFER:
        rows.append(["the study printed", human, NONE, "= test", f"{percent(1 - TRANSFER[name].accuracy, 0)}"])
    for section, entry in entries:
        label = f"{entry.name}, {section.title}"
        rows.append([label, human, percent(entry.train_error), percent(entry.dev_error), error_intervals(entry.scores)])
        if entry.train_error is not None and entry.dev_error is not None:
            readings.append(f"of {label}, {reading(entry.train_error, entry.dev_error)}")
    title = STUDY_NETWORKS[name].title if name in STUDY_NETWORKS else name
    text = table([title, "people", "train", "dev", "test"], rows)
    return f"### {title}\n\n{text}" + (f"\n\nBias and variance: {'; '.join(readings)}." if readings else "")
