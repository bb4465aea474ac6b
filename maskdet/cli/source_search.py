"""From the names on the command line to sources: what is there, and one line for all that is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maskdet.errors import SourceError
from maskdet.files.paths import OWN_FOLDER, real_path
from maskdet.sources import Missed, Source, resolve
from maskdet.terminal.console import say

if TYPE_CHECKING:
    from maskdet.cli.detect_run import ErrorLog


def find_sources(
    names: Sequence[str],
    errors: ErrorLog,
    *,
    writes_to: Iterable[str | None] = (),
    strict: bool = False,
    quiet: bool = False,
) -> list[Source]:
    """Return what can be read under these names; ``errors`` is told of the others.

    Args:
        names: as given.
        errors: is told of what is not there; what a search met and cannot read is among the sources, at the end.
        writes_to: folders of this run's pictures, which are never searched.
        strict: what is passed over with a note is an error.
        quiet: print no notes.

    Raises:
        click.UsageError: something stands behind a source that never ends.
        MaskdetError: words of yolo's; or the only source is the folder that this run writes to; or that folder has no
            place, as the working folder is gone.
    """
    if any("=" in name for name in names):
        from maskdet.cli.hints import refuse_yolo_words

        refuse_yolo_words(names, click.get_current_context())
    own = {_place(folder) for folder in writes_to if folder}
    found: list[Source] = []
    missed: list[Missed] = []
    for name in names:
        if found and found[-1].endless:
            raise click.UsageError(f"a webcam or stream never ends, and {name} comes after one: give it last")
        if own and name and real_path(name) in own and Path(name).is_dir():
            error = SourceError(
                name, "this run writes there and would overwrite the originals; choose another --save folder"
            )
            if len(names) == 1 or real_path(name).name != OWN_FOLDER:
                raise error
            missed.append(Missed(SourceError(name, "passed over: this run writes to it"), note=True))
            continue
        try:
            resolved = resolve(name, own)
        except SourceError as error:
            errors.report(error)
            continue
        found += [source for source in resolved if not isinstance(source, Missed)]
        missed += [source for source in resolved if isinstance(source, Missed)]
    notes = [one.error for one in missed if one.note and not strict]
    if notes and not quiet:
        click.get_current_context().call_on_close(lambda: _print(notes))
    wrong: list[Source] = [replace(one, note=False) for one in missed if strict or not one.note]
    if not found:  # nothing to load a model for
        for one in wrong:
            if isinstance(one, Missed):
                errors.report(one.error)
        return []
    return [*found, *wrong] if not found[-1].endless else [*found[:-1], *wrong, found[-1]]


def _print(notes: Iterable[SourceError]) -> None:
    for note in notes:
        say(f"note: {note}")


def _place(folder: str) -> Path:
    try:
        return real_path(folder)
    except FileNotFoundError:
        raise SourceError(folder, "cannot be written (the working folder is gone)") from None
