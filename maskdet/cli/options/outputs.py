"""What becomes of the results: they are written, people are told apart and counted, and somebody is alerted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from maskdet.cli.options import option
from maskdet.files.paths import OWN_FOLDER
from maskdet.terminal.console import say, to_bytes
from maskdet.terminal.console import show as show_line
from maskdet.writers.targets import Targets

if TYPE_CHECKING:
    from maskdet.alerts.actions import Action
    from maskdet.alerts.monitor import AlertMonitor
    from maskdet.tracking.face_tracker import FaceTracker

#: Names the lines of ``--tracks``.
TRACK_SCHEMA: Final = "maskdet-track/1"


@dataclass(frozen=True, kw_only=True)
class OutputOptions(Targets):
    """What is written, and where."""

    json: str | None = option("--json", metavar="FILE|-", help="Write JSON Lines, one object a picture or frame.")
    csv: str | None = option("--csv", metavar="FILE|-", help="Write CSV, one row a face.")
    coco: str | None = option("--coco", metavar="FILE|-", help="Write one COCO file for all pictures, with scores.")
    pictures: str | None = option(
        "--save", metavar="DIR", help=f"Write annotated pictures and videos.  [default: {OWN_FOLDER}]"
    )
    no_save: bool = option("--no-save", is_flag=True, help="Write no annotated pictures or videos.")
    txt: str | None = option("--save-txt", metavar="DIR", help="Write YOLO labels, one .txt a picture.")
    txt_confidence: bool = option("--save-conf", is_flag=True, help="End each line of --save-txt with the confidence.")
    voc: str | None = option("--save-voc", metavar="DIR", help="Write Pascal VOC labels, one .xml a picture.")
    crops: str | None = option("--save-crops", metavar="DIR", help="Write each face as DIR/CLASS/NAME_N.png.")
    overwrite: bool = option("--overwrite", is_flag=True, help="Write into folders that hold labels or crops already.")

    def settled(self, *, tracks: str | None, quiet: bool) -> Targets:
        """Return what is asked for, with ``tracks``; annotated pictures where nothing is, unless ``quiet``.

        Raises:
            click.UsageError: two options contradict each other.
        """
        if len(self.to_stdout) > 1:
            names = " and ".join(f"--{name} -" for name in self.to_stdout)
            raise click.UsageError(f"{names} cannot both write to standard output")
        if self.pictures and self.no_save:
            raise click.UsageError("--save and --no-save contradict each other")
        if self.txt_confidence and not self.txt:
            raise click.UsageError("--save-conf belongs to --save-txt: name its folder")
        own = not (self.no_save or quiet or self.any)
        return replace(self, tracks=tracks, pictures=OWN_FOLDER if own else self.pictures)


@dataclass(frozen=True, kw_only=True)
class TrackOptions:
    """Whether faces of videos are told apart, and what is written and shown of the people at the end."""

    track: bool = option("--track", is_flag=True, help="Give each face of a video an id, and count people once.")
    tracks: str | None = option(
        "--tracks",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="Write JSON Lines, one object a person: the class voted, frames seen. Switches --track on.",
    )

    def open(self) -> FaceTracker | None:
        """Return a tracker where one was asked for.

        Raises:
            MissingExtraError: the ``track`` extra is not installed.
        """
        if not (self.track or self.tracks):
            return None
        from maskdet.tracking.face_tracker import FaceTracker

        return FaceTracker()

    def report(self, tracker: FaceTracker | None, *, show: bool) -> None:
        """Write the votes where asked, and print one line about the people.

        Raises:
            SourceError: the file cannot be written.
        """
        if tracker is None:
            return
        if self.tracks:
            from maskdet.files.atomic import write_bytes

            lines = [json.dumps({"schema": TRACK_SCHEMA, **vote.to_dict()}) + "\n" for vote in tracker.votes()]
            write_bytes(Path(self.tracks), to_bytes("".join(lines)))
        if show:
            compliance = tracker.compliance
            share = "" if compliance is None else f", {compliance:.0%} wear a mask properly"
            people = tracker.people
            counts = ", ".join(f"{count} {name}" for name, count in tracker.counts.items() if count)
            show_line(f"{people} {'person' if people == 1 else 'people'} tracked{share}{counts and f' ({counts})'}")


@dataclass(frozen=True, kw_only=True)
class AlertOptions:
    """What is told, how often and to whom."""

    alert: tuple[str, ...] = option(
        "--alert",
        multiple=True,
        metavar="RULE",
        help="Tell when a picture's figures pass a limit: 'without_mask>=3', 'faces>50', 'compliance<0.8'. "
        "On standard error, or by --alert-run and --alert-post.",
    )
    alert_cooldown: float = option(
        "--alert-cooldown",
        type=click.FloatRange(min=0),
        default=60,
        show_default=True,
        metavar="SECONDS",
        help="A rule that was told stays silent for so long.",
    )
    alert_run: str | None = option(
        "--alert-run", metavar="COMMAND", help="Run this (no shell) with each alert's JSON on its stdin."
    )
    alert_post: str | None = option("--alert-post", metavar="URL", help="Post each alert to this address as JSON.")

    def open(self, names: Sequence[str]) -> AlertMonitor | None:
        """Return the monitor that the options describe for a model's classes, None without a rule.

        Raises:
            click.UsageError: a rule, command or address that is none, or an action without a rule.
        """
        if not self.alert:
            if self.alert_run is not None or self.alert_post is not None:
                raise click.UsageError("--alert-run and --alert-post need a rule: --alert 'without_mask>=3'")
            return None
        from maskdet.alerts import parse_rule
        from maskdet.alerts.actions import PostJson, RunCommand
        from maskdet.alerts.monitor import AlertMonitor

        actions: list[Action] = []
        given = "--alert"
        try:
            rules = [parse_rule(rule, names) for rule in self.alert]
            given = "--alert-run"
            if self.alert_run is not None:
                actions.append(RunCommand(self.alert_run))
            given = "--alert-post"
            if self.alert_post is not None:
                actions.append(PostJson(self.alert_post))
        except ValueError as error:
            raise click.UsageError(f"{given}: {error}") from error
        return AlertMonitor(rules, actions, say, cooldown=self.alert_cooldown)
