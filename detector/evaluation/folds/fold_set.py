"""The folds that ``maskdet convert --folds K`` writes: the test part of each, and which photos belong together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskdet.datasets.grouping.duplicates import find_pairs
from maskdet.datasets.grouping.folds import SERIES
from maskdet.datasets.grouping.groups import group_links, in_series, merge_groups
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.picture_file import Picture, look_at_all
from maskdet.datasets.yolo.data_yaml import read_data_yaml
from maskdet.detector.evaluation.labelled_split import LabelledSplit, read_split
from maskdet.errors import DatasetError


@dataclass(frozen=True, slots=True, eq=False)
class FoldSet:
    """K folds, each with the photos that its detector is tested on.

    Attributes:
        tests: the test part of fold 1 … K, and that of the selfie series where it is a part of its own.
        groups: for each fold (P,) int64, the group of each of its photos: alike ones, and the selfie series.
        series: for each fold (P,) bool, which photos are of the selfie series.
        leaks: groups that lie in more than one fold.
        parts: what the test parts are called, () for ``fold1`` … ``foldK``.
    """

    data: str
    tests: tuple[LabelledSplit, ...]
    groups: tuple[npt.NDArray[np.int64], ...]
    series: tuple[npt.NDArray[np.bool_], ...]
    leaks: int
    parts: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What the test parts are called: ``fold1`` … ``foldK``, then perhaps ``series``."""
        return self.parts or tuple(f"fold{number}" for number in range(1, len(self.tests) + 1))

    @property
    def averaged(self) -> list[int]:
        """The parts that a mean of folds is taken over: all but the series, unless there is nothing else."""
        folds = [at for at, name in enumerate(self.names) if name != SERIES]
        return folds or list(range(len(self.tests)))

    @property
    def pooled(self) -> LabelledSplit:
        """Every photo once, fold by fold."""
        return LabelledSplit(
            data=self.data,
            split="all folds",
            photos=tuple(chain.from_iterable(test.photos for test in self.tests)),
            truths=tuple(chain.from_iterable(test.truths for test in self.tests)),
            repeated=sum(test.repeated for test in self.tests),
            empty=sum(test.empty for test in self.tests),
            names=self.tests[0].names,
            written=self.tests[0].written,
        )

    def spelled_as(self, names: Sequence[str]) -> FoldSet:
        """Return the folds in a model's classes and words where the data set has the same, else as they are."""
        return replace(self, tests=tuple(test.spelled_as(names) for test in self.tests))

    def take(self, kept: Sequence[npt.NDArray[np.bool_]]) -> FoldSet:
        """Return the folds with some of their photos: (P,) bool a fold; a series of which nothing stays is left out.

        So are the folds where nothing but the series stays.

        Raises:
            DatasetError: a fold would have no labelled face.
        """
        alone = not any(mask.any() for name, mask in zip(self.names, kept, strict=True) if name != SERIES)
        tests, places = [], []
        for at, (name, test, mask) in enumerate(zip(self.names, self.tests, kept, strict=True)):
            if not mask.any() and (alone or name == SERIES):
                continue
            chosen = np.flatnonzero(mask).tolist()
            truths = tuple(test.truths[photo] for photo in chosen)
            if not any(len(truth.class_ids) for truth in truths):
                raise DatasetError(self.data, f"{name} has no labelled face left")
            tests.append(replace(test, photos=tuple(test.photos[photo] for photo in chosen), truths=truths))
            places.append(at)
        return replace(
            self,
            tests=tuple(tests),
            groups=tuple(self.groups[at][kept[at]] for at in places),
            series=tuple(self.series[at][kept[at]] for at in places),
            parts=tuple(self.names[at] for at in places),
        )


def read_folds(
    data: str | Path, *, parts: Collection[str] | None = None, quiet: bool = True, any_classes: bool = False
) -> FoldSet:
    """Read the folds of a folder, and find out which photos belong together.

    Args:
        data: the folder that ``maskdet convert --folds`` wrote, or a file in it.
        parts: read these alone, None for all: ``fold1`` … and ``series``.
        any_classes: take classes that cannot be matched with ours by name as they are.

    Raises:
        DatasetError: no ``fold1.yaml`` … ``foldK.yaml``, a fold that cannot be scored, folds of different classes, or
            one photo in two test parts or in a test part and that fold's training part.
        AnnotationError: a label line that cannot be used.
        SourceError: a photo that cannot be decoded.
    """
    folder = folds_folder(data)
    files = [file for file in fold_files(folder) if parts is None or file.stem in parts]
    tests = tuple(read_split(file, "val", any_classes=any_classes) for file in files)
    owner: dict[Path, Path] = {}
    for file, test in zip(files, tests, strict=True):
        if test.written != tests[0].written:
            raise DatasetError(file, f"its classes are not those of {files[0].name}")
        description = read_data_yaml(file)
        trained = set(description.pictures("train")) if "train" in description.splits else set()
        for photo in test.photos:
            if photo in trained:
                raise DatasetError(file, f"{photo.name} is both trained and tested on")
            if owner.setdefault(photo, file) != file:
                raise DatasetError(file, f"{photo.name} is also in the test part of {owner[photo].name}")
    pictures = _look(list(owner))
    photos = [Photo(picture.path.name, picture, *_NO_FACES) for picture in pictures]
    alike = [(pair.first, pair.second) for pair in find_pairs(pictures, quiet=quiet)]
    numbers = np.array(merge_groups(len(photos), group_links(photos, alike, series=True, file=None)), dtype=np.int64)
    series = np.array([in_series(picture.path.name, picture.size) for picture in pictures], dtype=np.bool_)
    ends = np.cumsum([len(test.photos) for test in tests])[:-1]
    groups = tuple(np.split(numbers, ends))
    held = np.bincount(np.concatenate([np.unique(group) for group in groups]))
    leaks = int(np.count_nonzero(held > 1))
    names = tuple(file.stem for file in files)
    return FoldSet(folder.resolve().name, tests, groups, tuple(np.split(series, ends)), leaks, names)


#: Which photos are alike does not depend on their labels.
_NO_FACES = (np.zeros(0, np.int64), np.zeros((0, 4)))


def folds_folder(data: str | Path) -> Path:
    """Return the folder of the folds, named itself or by a file in it."""
    path = Path(data)
    return path.parent if path.is_file() else path


def fold_files(folder: Path) -> list[Path]:
    """Return ``fold1.yaml`` … ``foldK.yaml``, and ``series.yaml`` where there is one.

    Raises:
        DatasetError: there are not at least two, or one between is missing.
    """
    count = len(list(folder.glob("fold*.yaml")))
    files = [folder / f"fold{number}.yaml" for number in range(1, count + 1)]
    missing = next((file for file in files if not file.is_file()), None)
    if count < 2 or missing is not None:
        what = f"{missing.name} is missing" if count >= 2 and missing is not None else "has no folds"
        raise DatasetError(folder, f"{what}: write them with `maskdet convert VOC_DIR {folder.name} --folds 5`")
    series = folder / f"{SERIES}.yaml"
    return [*files, series] if series.is_file() else files


def _look(photos: Sequence[Path]) -> list[Picture]:
    """Return what is known of each photo, thumbnails included.

    Raises:
        SourceError: one cannot be decoded.
    """
    found: list[Picture] = []
    for seen in look_at_all(photos, thumb=True):
        if not isinstance(seen, Picture):
            assert seen is not None
            raise seen
        found.append(seen)
    return found
