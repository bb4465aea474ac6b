"""Scores beside themselves: with and without the photos of a split that resemble photos which were trained on.

A random split of photos that are alike in pairs, as the public one is, leaves near copies of what was learnt among what
is tested. Alike are photos that ``maskdet data check`` calls so, and those of the public data's selfie series. The
scores without them say what the resemblance may be worth: an upper bound, since photos without a mate may be harder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.datasets.grouping.duplicates import find_pairs
from maskdet.datasets.grouping.groups import copy_links, in_series, merge_groups, series_links
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.picture_file import Picture, look_at_all
from maskdet.detector.evaluation.average_precision import ap_of_draws, ap_rows_of, by_iou, match_tables
from maskdet.detector.evaluation.labelled_split import LabelledSplit
from maskdet.detector.evaluation.report import row_names
from maskdet.detector.inference.postprocess import Detections
from maskdet.statistics.figures import (
    Figure,
    draw_groups,
    draw_photos,
    figure_of,
    mean_of_known,
    plain,
)

#: The sets of photos that are scored, and what each leaves out.
SETS: Final = {
    "all": (),
    "without_series": ("series",),
    "without_near_copies": ("near_copies",),
    "without_either": ("series", "near_copies"),
}


@dataclass(frozen=True, slots=True, eq=False)
class NearPhotos:
    """Which of a split's P photos resemble photos of the split ``train``.

    Attributes:
        trained: number of photos of the split ``train``.
        near_copies: (P,) bool, those alike, or alike to one that is.
        series: (P,) bool, those of the selfie series, where the split ``train`` has photos of it too.
        groups: (P,) int64, photos that belong together, the selfie series as one.
    """

    trained: int
    near_copies: npt.NDArray[np.bool_]
    series: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64]


def find_near(tested: Sequence[Path], trained: Sequence[Path], *, quiet: bool = True) -> NearPhotos:
    """Find out which of the tested photos resemble one that was trained on.

    Raises:
        SourceError: a photo cannot be read.
    """
    pictures: list[Picture] = []
    for picture in look_at_all([*tested, *trained], thumb=True):
        if not isinstance(picture, Picture):
            assert picture is not None
            raise picture
        pictures.append(picture)
    nothing = np.zeros(0, np.int64), np.zeros((0, 4))
    photos = [Photo(picture.path.name, picture, *nothing) for picture in pictures]
    alike = [(pair.first, pair.second) for pair in find_pairs(pictures, quiet=quiet)] + copy_links(photos)
    count = len(tested)

    def with_mates(links: list[tuple[int, int]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        groups = np.array(merge_groups(len(photos), links), np.int64)
        return groups[:count], np.isin(groups[:count], groups[count:])

    _, near = with_mates(alike)
    groups, mates = with_mates(alike + series_links(photos))
    series = np.array([in_series(one.path.name, one.size) for one in pictures[:count]], np.bool_)
    return NearPhotos(len(trained), near, series & mates, groups)


@dataclass(frozen=True, slots=True)
class BesideRow:
    """Average precision of one class, or of their mean, on one set of photos.

    ``ap50`` and ``ap50_95`` have intervals from draws of photos, ``by_group`` the same figures from draws of groups.
    """

    faces: int
    ap50: Figure
    ap50_95: Figure
    by_group: dict[str, Figure]


@dataclass(frozen=True, slots=True)
class BesideSet:
    """One set of photos: how many, in how many groups, and class name or ``"mean"`` -> average precision."""

    photos: int
    groups: int
    ap: dict[str, BesideRow]


@dataclass(frozen=True, slots=True, eq=False)
class NearTraining:
    """The scores beside themselves: ``faces`` counts those of each class on photos with a near copy in training."""

    near: NearPhotos
    names: tuple[str, ...]
    faces: dict[str, int]
    sets: dict[str, BesideSet]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "trained_photos": self.near.trained,
            "near_copies": {"photos": list(self.names), "faces": self.faces},
            "series_photos": int(self.near.series.sum()),
            "sets": plain(self.sets),
        }


def score_near(
    labelled: LabelledSplit, found: Sequence[Detections], near: NearPhotos, *, resamples: int, seed: int
) -> NearTraining:
    """Score detections of a split on each of ``SETS`` that has a labelled face."""
    names = row_names(labelled.names)
    tables = [[sizes[0]] for sizes in match_tables(labelled.truths, found, len(names))]
    faces = np.array([np.bincount(truth.class_ids, minlength=len(names)) for truth in labelled.truths])
    sets = {}
    for name, left_out in SETS.items():
        kept = ~np.any([getattr(near, one) for one in left_out] or np.zeros((1, len(near.groups)), bool), axis=0)
        counts = faces[kept].sum(axis=0)
        if not counts.any():
            continue
        places = np.flatnonzero(kept)
        drawn = [
            np.ones((1, len(places)), np.int32),
            draw_photos(len(places), resamples=resamples, seed=seed),
            draw_groups(near.groups[places], resamples=resamples, rng=np.random.default_rng(seed)),
        ]
        weights = np.zeros((1 + 2 * resamples, len(kept)), np.int32)
        weights[:, places] = np.concatenate(drawn)
        ap = ap_of_draws(tables, weights)
        values = by_iou(np.concatenate([ap, mean_of_known(ap, axis=2)], axis=2))
        rows = {}
        for at, row in enumerate(ap_rows_of(names)):
            cells = {label: figures[:, at, 0] for label, figures in values.items()}
            rows[row] = BesideRow(
                int(counts[at]) if at < len(names) else int(counts.sum()),
                **{label: figure_of(cell[: 1 + resamples]) for label, cell in cells.items()},
                by_group={
                    label: figure_of(np.concatenate([cell[:1], cell[1 + resamples :]])) for label, cell in cells.items()
                },
            )
        sets[name] = BesideSet(len(places), len(np.unique(near.groups[places])), rows)
    on_copies = faces[near.near_copies].sum(axis=0).tolist()
    files = tuple(labelled.photos[at].name for at in np.flatnonzero(near.near_copies).tolist())
    return NearTraining(near, files, dict(zip(names, on_copies, strict=True)), sets)
