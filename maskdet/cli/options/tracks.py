"""The options of ``maskdet detect`` about tracking, and what is shown of the people at the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from maskdet.terminal.console import show as show_line
from maskdet.terminal.console import to_bytes

if TYPE_CHECKING:
    from maskdet.tracking.face_tracker import FaceTracker

F = TypeVar("F", bound=Callable[..., Any])

#: Names the lines of ``--tracks``.
TRACK_SCHEMA: Final = "maskdet-track/1"


def track_options(command: F) -> F:
    """Add ``--track`` and ``--tracks``."""
    for option in (
        click.option(
            "--tracks",
            "tracks_target",
            type=click.Path(dir_okay=False),
            metavar="FILE",
            help="Write JSON Lines, one object a person: the class voted, frames seen. Switches --track on.",
        ),
        click.option(
            "--track", "track_faces", is_flag=True, help="Give each face of a video an id, and count people once."
        ),
    ):
        command = option(command)
    return command


def open_tracker(track_faces: bool, tracks_target: str | None) -> FaceTracker | None:
    """Return a tracker where one was asked for.

    Raises:
        MissingExtraError: the ``track`` extra is not installed.
    """
    if not (track_faces or tracks_target):
        return None
    from maskdet.tracking.face_tracker import FaceTracker

    return FaceTracker()


def report_people(tracker: FaceTracker | None, tracks_target: str | None, *, show: bool) -> None:
    """Write the votes where asked, and print one line about the people.

    Raises:
        SourceError: the file cannot be written.
    """
    if tracker is None:
        return
    if tracks_target:
        from maskdet.files.atomic import write_bytes

        lines = [json.dumps({"schema": TRACK_SCHEMA, **vote.to_dict()}) + "\n" for vote in tracker.votes()]
        write_bytes(Path(tracks_target), to_bytes("".join(lines)))
    if show:
        compliance = tracker.compliance
        share = "" if compliance is None else f", {compliance:.0%} wear a mask properly"
        people = tracker.people
        counts = ", ".join(f"{count} {name}" for name, count in tracker.counts.items() if count)
        show_line(f"{people} {'person' if people == 1 else 'people'} tracked{share}{counts and f' ({counts})'}")
