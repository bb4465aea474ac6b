"""A folder that appears whole or not at all, and never in place of what somebody else wrote."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from maskdet.errors import DatasetError
from maskdet.files.atomic import hidden_name, hold_folder, sweep_folders
from maskdet.files.paths import real_path


@dataclass(frozen=True, slots=True)
class OutputKind:
    """A kind of folder that we write: how messages say so, and the files that tell it from anybody else's."""

    written: str
    marks: tuple[str, ...]
    holds: tuple[str, ...]


DATA_SET = OutputKind(
    "by maskdet convert",
    ("data.yaml", "audit.json"),
    ("data.yaml", "all.yaml", "fold*.yaml", "audit.json", "contact_sheet.jpg", "images", "labels", "*.cache", ".*"),
)


def check_target(out: Path, source: Path, *, overwrite: bool, kind: OutputKind = DATA_SET) -> None:
    """Refuse a target that would destroy something; remove what a killed run left on its way there.

    Raises:
        DatasetError: OUT exists and may not be replaced, or it is or contains the source.
    """
    target, origin = real_path(out), real_path(source)
    if target == origin or target in origin.parents:
        raise DatasetError(out, f"is or contains the data set {source}: choose another folder")
    sweep_folders(target.parent / out.name)
    if not (out.exists() or out.is_symlink()):
        return
    if out.is_dir() and not out.is_symlink():
        if not any(out.iterdir()):
            return
        if overwrite and all((out / mark).is_file() for mark in kind.marks):
            _refuse_work(out, kind)
            return
        if overwrite:
            raise DatasetError(out, f"was not written {kind.written} and is not replaced: remove it yourself")
        raise DatasetError(out, "exists already: add --overwrite to replace it")
    raise DatasetError(out, "exists and is not a folder: choose another name")


def _refuse_work(out: Path, kind: OutputKind) -> None:
    """Refuse to replace a folder with somebody's models, pictures or videos among what we wrote: a training's, say."""
    from maskdet.files.guard import MEDIA_SUFFIXES, MODEL_SUFFIXES

    for child in sorted(out.iterdir()):
        if any(fnmatch(child.name, pattern) for pattern in kind.holds):
            continue
        for path in (child, *child.rglob("*")):
            if path.suffix.lower() in MEDIA_SUFFIXES | MODEL_SUFFIXES:
                raise DatasetError(out, f"holds {path.relative_to(out)}, not from maskdet: move it away first")


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``out`` that takes its place at the end, and vanishes on any error.

    What ``out`` held before stays until the new content is complete.

    Raises:
        DatasetError: the folder cannot be made or put in place.
    """
    parent = real_path(out).parent
    fresh = parent / hidden_name(out.name)
    held: list[int | None] = []
    try:
        parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir()
        held.append(hold_folder(fresh))
    except OSError as error:
        raise DatasetError(out, f"cannot be written: {error.strerror}") from error
    old: Path | None = None
    try:
        try:
            yield fresh
        except OSError as error:
            raise DatasetError(out, f"cannot be written ({error.strerror})") from error
        try:
            target = parent / out.name
            if target.exists():
                held.append(hold_folder(target))
                old = parent / hidden_name(out.name, ".old")
            _swap(fresh, target, old)
        except OSError as error:
            raise DatasetError(out, f"cannot be put in place: {error.strerror}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)
        for descriptor in held:
            if descriptor is not None:
                os.close(descriptor)


def _swap(fresh: Path, target: Path, old: Path | None) -> None:
    if old is None:
        fresh.rename(target)
        return
    target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        old.rename(target)
        raise
