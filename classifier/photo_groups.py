"""Naming the groups of photos whose crops belong on one side of a split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maskdet.datasets.duplicates import find_pairs
from maskdet.datasets.groups import group_links, merge_groups
from maskdet.datasets.photo import Photo


def name_groups(
    photos: Sequence[Photo],
    *,
    duplicates: bool = True,
    series: bool = True,
    groups: Path | None = None,
    quiet: bool = False,
) -> list[str]:
    """Return each photo's group, called after the group's first photo (its folders and file name without suffix).

    Args:
        photos: as read by ``maskdet.datasets``, with thumbnails where duplicates are looked for.
        duplicates: keep copies, other crops and other shots of one scene together.
        series: keep the public data set's selfie series together.
        groups: CSV file ``name,group`` of more photos to keep together.
        quiet: no progress bar.

    Raises:
        DatasetError: the file of groups cannot be used.
    """
    pairs = find_pairs([photo.picture for photo in photos], quiet=quiet) if duplicates else []
    links = group_links(photos, [(pair.first, pair.second) for pair in pairs], series=series, file=groups)
    numbers = merge_groups(len(photos), links)
    names: dict[int, str] = {}
    titles = [photo.name[: photo.name.rfind("/") + 1] + photo.picture.path.stem for photo in photos]
    return [names.setdefault(number, title) for number, title in zip(numbers, titles, strict=True)]
