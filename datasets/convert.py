"""Converting a Pascal VOC data set into a YOLO one: read, mend, split, write, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.audit.check import Audit, make_audit
from maskdet.datasets.audit.contact_sheet import choose_photos, draw_sheet, encode_sheet
from maskdet.datasets.grouping.duplicates import Pair, find_pairs, with_copies
from maskdet.datasets.grouping.folds import SERIES, count_folds, split_folds
from maskdet.datasets.grouping.groups import copy_links, group_links, merge_groups
from maskdet.datasets.grouping.splits import split_grouped, split_public
from maskdet.datasets.photos.photo import Mend
from maskdet.datasets.photos.photo_table import PhotoTable
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.division import split_by_folders, split_by_lists
from maskdet.datasets.voc.layout import Layout
from maskdet.datasets.voc.read import CHUNK, read_voc
from maskdet.datasets.yolo.write import LinkKind, PhotoWriter, format_data_yaml, place_picture, write_text
from maskdet.errors import DatasetError
from maskdet.files.folder import check_target, whole_folder
from maskdet.sessions.processes import ProcessPool
from maskdet.terminal.progress import ProgressBar

SplitRule = Literal["grouped", "folders", "public", "voc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertOptions(ReadOptions):
    """How to read and convert; alike photos are searched for unless told otherwise.

    Attributes:
        split: ``grouped`` keeps alike photos together and balances classes; ``folders`` keeps the division into train/,
            valid/ …; ``public`` is the published list; ``voc`` follows ImageSets/Main. None is ``folders`` where there
            are such folders and no folds are asked for, else ``grouped``.
        val_fraction, test_fraction: shares of the photos (grouped; the first without folds).
        folds: 0, or the number K of folds (grouped): K files ``fold1.yaml`` … instead of one split, balanced in groups,
            photos, and faces by class and size.
        seed: decides among equal choices (grouped).
        groups: CSV file ``name,group`` of photos to keep together.
        series: keep the public data set's selfie series together.
        images: how pictures get into the new folder.
    """

    split: SplitRule | None = None
    val_fraction: float = 0.2
    test_fraction: float = 0.0
    folds: int = 0
    seed: int = 0
    groups: Path | None = None
    series: bool = True
    images: LinkKind = "link"
    duplicates: bool = True
    overwrite: bool = False


def convert(source: Path, out: Path, options: ConvertOptions | None = None) -> Audit:
    """Convert the data set in ``source`` into the new folder ``out``.

    The folder holds ``images/PART/``, ``labels/PART/``, ``data.yaml``, ``audit.json`` and ``contact_sheet.jpg``; the
    parts are train, val and possibly test, or fold1 … foldK with a ``foldN.yaml`` each (validated on fold N, trained
    on the others), where ``data.yaml`` is the first fold's, and an ``all.yaml`` to train on every fold. The public
    data's selfie series is then a part of its own, with a ``series.yaml`` that is trained on the folds.

    Raises:
        AnnotationError, SourceError: the first unusable photo, unless ``keep_going``.
        DatasetError: the layout, the split or the target is wrong.
    """
    options = options or ConvertOptions()
    _check_options(source, options)
    check_target(out, source, overwrite=options.overwrite)
    with ProcessPool() as pool:
        return _convert(source, out, options, pool)


def _convert(source: Path, out: Path, options: ConvertOptions, pool: ProcessPool) -> Audit:
    collection, layout = read_voc(source, options, pool)
    photos = PhotoTable.of(collection.photos)
    pairs = None
    if options.duplicates:
        pairs = with_copies(find_pairs([photo.picture for photo in photos], quiet=options.quiet), copy_links(photos))
    rule = options.split or ("folders" if layout.parts and not options.folds else "grouped")
    groups = _groups(photos, pairs, options) if rule == "grouped" else []
    splits = _split(source, layout, photos, groups, rule, collection.mends, options)
    # Photos that the lists leave out take no further part, nor do the pairs they are in.
    listed = [at for at, split in enumerate(splits) if split is not None]
    placed = photos.with_splits(splits).take(listed)
    if pairs is not None:
        place = {at: new for new, at in enumerate(listed)}
        pairs = [
            replace(pair, first=place[pair.first], second=place[pair.second])
            for pair in pairs
            if pair.first in place and pair.second in place
        ]
    unlisted = [name for name, split in zip(photos.names, splits, strict=True) if split is None]
    folds = count_folds(photos, groups, splits) if options.folds else ()
    audit = replace(make_audit(collection, placed, pairs, unlisted=unlisted), folds=folds)
    with whole_folder(out) as folder:
        writer = PhotoWriter(folder, options.images, place_picture, layout.target_folders(keep=rule == "folders"))
        _write(folder, placed, audit, writer, pool, quiet=options.quiet)
    return audit


def _check_options(source: Path, options: ConvertOptions) -> None:
    rest = 1 - options.test_fraction - (0 if options.folds else options.val_fraction)
    if not 0 <= options.test_fraction < 1 or not 0 < options.val_fraction < 1 or rest <= 0:
        raise DatasetError(source, "the fractions must lie between 0 and 1 and leave something to train on")
    if options.folds and (options.folds < 2 or options.split not in (None, "grouped")):
        raise DatasetError(source, "folds need --split grouped and a number of at least 2")


def _split(
    source: Path,
    layout: Layout,
    photos: PhotoTable,
    groups: Sequence[int],
    rule: SplitRule,
    mends: list[Mend],
    options: ConvertOptions,
) -> Sequence[str | None]:
    if rule == "voc":
        listed = split_by_lists(layout, photos)
        mends.extend(listed.strays)
        for wanted in ("train", "val"):
            if wanted not in listed.splits:
                raise DatasetError(source, f"ImageSets/Main lists no photo for {wanted}: use --split grouped")
        return listed.splits
    if rule == "folders":
        return split_by_folders(source, layout, photos)
    if rule == "public":
        return split_public(source, photos)
    shares, names = _parts(options)
    if options.folds:
        parts = split_folds(source, photos, groups, shares, options.seed, series=options.series)
    else:
        parts = split_grouped(source, photos, groups, shares, options.seed)
    return [[*names, SERIES][part] for part in parts]


def _groups(photos: PhotoTable, pairs: Sequence[Pair] | None, options: ConvertOptions) -> list[int]:
    """Return the number of each photo's group."""
    alike = [(pair.first, pair.second) for pair in pairs or ()]
    return merge_groups(len(photos), group_links(photos, alike, series=options.series, file=options.groups))


def _parts(options: ConvertOptions) -> tuple[list[float], list[str]]:
    """Return the shares and names of the parts of a grouped split."""
    test = options.test_fraction
    if options.folds:
        shares = [(1 - test) / options.folds] * options.folds
        names = [f"fold{number}" for number in range(1, options.folds + 1)]
    else:
        shares, names = [1 - options.val_fraction - test, options.val_fraction], ["train", "val"]
    return ([*shares, test], [*names, "test"]) if test else (shares, names)


def _write(
    folder: Path, photos: PhotoTable, audit: Audit, writer: PhotoWriter, pool: ProcessPool, *, quiet: bool
) -> None:
    for name in writer.folders_of(photos):
        (folder / "images" / name).mkdir(parents=True, exist_ok=True)
        (folder / "labels" / name).mkdir(parents=True, exist_ok=True)
    with (
        closing(pool.map(partial(partial, writer), photos.chunks(CHUNK), files=len(photos))) as written,
        ProgressBar("writing", total=len(photos), quiet=quiet) as bar,
    ):
        for count in written:
            bar.advance(count)
    for name, text in _yaml_files([part.split for part in audit.parts]).items():
        write_text(folder / name, text)
    write_text(folder / "audit.json", audit.to_json())
    sheet = draw_sheet(choose_photos(photos, {mend.file for mend in audit.mends}))
    (folder / "contact_sheet.jpg").write_bytes(encode_sheet(sheet))


def _yaml_files(splits: Sequence[str]) -> dict[str, str]:
    """Return the text of each YAML file by name."""
    test = {"test": ["images/test"]} if "test" in splits else {}
    # By number: as strings, fold10 would come before fold2.
    folds = sorted((split for split in splits if split.startswith("fold")), key=lambda split: int(split[4:]))
    if not folds:
        return {"data.yaml": format_data_yaml(CLASS_NAMES, train=["images/train"], val=["images/val"], **test)}
    series = [SERIES] if SERIES in splits else []
    files = {}
    for part in [*folds, *series]:
        others = [f"images/{other}" for other in [*folds, *series] if other != part]
        files[f"{part}.yaml"] = format_data_yaml(CLASS_NAMES, train=others, val=[f"images/{part}"], **test)
    # For the detector that is used once the folds have said what its recipe is worth. Trainers want a val: any will do.
    every = [f"images/{part}" for part in [*folds, *series]]
    files["all.yaml"] = format_data_yaml(CLASS_NAMES, train=every, val=every[:1], **test)
    return {"data.yaml": files["fold1.yaml"]} | files
