"""Say what the three-class networks of the study would gain without more training, from their committed answers.

Two ways: the logit of the rare class is moved before the most probable class is taken, by what the dev crops like best, and
by what the test crops themselves would like best, which nobody may choose and no rule of this kind can pass; and the
probabilities of two networks are averaged::

    python tools/three_classes.py docs/study/runs
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.study.scores import score
from maskdet.classifier.study.sections import Entry, score_runs
from maskdet.classifier.training.run import PartName, load_runs
from maskdet.statistics.scores import confusion_matrix, macro_f1

RARE = CLASS_NAMES.index("mask_weared_incorrect")
#: Of the rare class, in nats; the smallest first, so that of moves that do as well nothing is moved without a reason.
MOVES = np.array(sorted(np.arange(-60, 61) / 20, key=abs))


def moved_f1(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the macro-F1 at each of ``MOVES``; (N,) labels, (N, 3) probabilities."""
    logits = np.log(np.maximum(probabilities, 1e-9))
    moved = [logits + move * (np.arange(len(CLASS_NAMES)) == RARE) for move in MOVES]
    return np.array([macro_f1(confusion_matrix(labels, row.argmax(axis=1), len(CLASS_NAMES))) for row in moved])


def move_rows(entries: Sequence[Entry]) -> list[str]:
    """Return a row a network: as it answers, with the move of its dev crops, with the best one for its test crops."""
    rows = []
    for entry in entries:
        dev, test = (moved_f1(*_answers(entry, part)) for part in ("dev", "test"))
        cells = [f"{test[at]:.3f} ({MOVES[at]:+.2f})" for at in (dev.argmax(), test.argmax())]
        rows.append(f"| {entry.name} | {entry.scores.macro_f1.value:.3f} | {' | '.join(cells)} |")
    return rows


def pair_rows(entries: Sequence[Entry]) -> list[str]:
    """Return a row for every two networks that were tested on the same crops, the best first."""
    found = []
    for first, second in combinations(entries, 2):
        place = {crop: number for number, crop in enumerate(second.test.crops)}
        if set(place) != set(first.test.crops):
            continue
        other = second.test.probabilities[[place[crop] for crop in first.test.crops]]
        scores = score(first.test.labels, (first.test.probabilities + other) / 2, resamples=0)
        found.append((scores.macro_f1.value, scores.classes[RARE].f1, f"{first.name} and {second.name}"))
    return [f"| {name} | {macro:.3f} | {rare:.3f} |" for macro, rare, name in sorted(found, reverse=True)]


def _answers(entry: Entry, part: PartName) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    parts = [run.parts[part] for run in entry.runs]
    return np.concatenate([one.labels for one in parts]), np.concatenate([one.probabilities for one in parts])


def main() -> None:
    """Read the folders of the runs and print two tables a division, in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, help="folder of the runs' folders")
    runs = [run for run in load_runs(parser.parse_args().runs) if run.task == "three"]
    for section in score_runs(runs, resamples=0):
        print(f"\n{section.title}\n")
        print("| network | macro-F1 | moved as dev likes best | as test would |\n|---|--:|--:|--:|")
        print("\n".join(move_rows(section.entries)))
        if pairs := pair_rows(section.entries):
            print("\n| two together | macro-F1 | F1, incorrect |\n|---|--:|--:|")
            print("\n".join(pairs[:5]))


if __name__ == "__main__":
    main()
