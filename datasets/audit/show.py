"""Which photos of a data set are shown: those that are named, or some at random."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from maskdet.datasets.photos.photo import Collection, Photo
from maskdet.errors import DatasetError


def find_photos(root: Path, collection: Collection, wanted: Sequence[str]) -> list[Photo]:
    """Return photos by the names of their pictures or annotations, with or without ending and folders, in that order.

    Raises:
        DatasetError: no photo has a name, several have it, or the one that has it cannot be used.
    """
    named: dict[str, set[int]] = defaultdict(set)
    for at, photo in enumerate(collection.photos):
        for path in (Path(photo.name), photo.picture.path):
            for name in (photo.name, path.name, path.stem, path.with_suffix("").as_posix()):
                named[name].add(at)
    found = []
    for name in wanted:
        places = named.get(name, set())
        if len(places) > 1:
            whole = ", ".join(sorted(collection.photos[at].name for at in places)[:3])
            raise DatasetError(root, f"several photos are called {name!r}: name one of {whole}")
        if not places:
            for one in collection.left_out:
                if name in (one.file, Path(one.file).name, Path(one.file).stem):
                    raise DatasetError(root, f"{one.file} cannot be used: {one.reason}")
            raise DatasetError(root, f"no photo is called {name!r}; one is {collection.photos[0].picture.path.name}")
        found.append(collection.photos[places.pop()])
    return found


def draw_photos(photos: Sequence[Photo], count: int, *, seed: int) -> list[Photo]:
    """Return photos drawn at random without replacement, all where there are fewer; the same seed draws the same."""
    order = np.random.default_rng(seed).permutation(len(photos))
    return [photos[at] for at in order[:count].tolist()]
