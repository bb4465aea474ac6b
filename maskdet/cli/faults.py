"""What commands over many inputs share: reporting each bad one, and the exit code in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from maskdet.cli import EXIT_DONE, EXIT_ERROR, EXIT_MATCHED

if TYPE_CHECKING:
    from maskdet.errors import MaskdetError
    from maskdet.sources import PictureFile


class FaultLog:
    """Prints each error as it comes, and remembers that there was one."""

    def __init__(self) -> None:
        """Start without errors."""
        self.any = False

    def report(self, error: MaskdetError) -> None:
        """Print one line on standard error."""
        self.any = True
        click.echo(f"error: {error}", err=True)

    def exit_code(self, *, matched: bool) -> int:
        """Return 2 after an error, else 1 where ``--fail-on`` matched, else 0."""
        return EXIT_ERROR if self.any else EXIT_MATCHED if matched else EXIT_DONE


def find_all(sources: tuple[str, ...], faults: FaultLog) -> list[PictureFile]:
    """Return the picture files of every source, after reporting those that are not there."""
    from maskdet.errors import SourceError
    from maskdet.sources import find_files

    files: list[PictureFile] = []
    for source in sources:
        try:
            files += find_files(source)
        except SourceError as error:
            faults.report(error)
    return files


def class_list(_ctx: click.Context, param: click.Parameter, value: str | None) -> frozenset[str]:
    """Turn ``with_mask,without_mask`` into a set of class names; a click callback.

    Raises:
        UsageError: a name is no class.
    """
    from maskdet.classes import CLASS_NAMES

    names = frozenset(part.strip() for part in (value or "").split(",") if part.strip())
    if unknown := names - set(CLASS_NAMES):
        option = max(param.opts, key=len)
        raise click.UsageError(f"{option} {', '.join(sorted(unknown))}: the classes are {', '.join(CLASS_NAMES)}")
    return names
