"""A run over sources: from the names on the command line through the model to the outputs.

What cannot be read is one line each; progress is shown, and Ctrl-C ends it cleanly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maskdet.cli import EXIT_DONE, EXIT_ERROR, EXIT_MATCHED
from maskdet.cli.start_up import Interrupt
from maskdet.errors import MaskdetError, SourceError
from maskdet.files.paths import OWN_FOLDER, real_path
from maskdet.prediction.pipeline import Predictor, Session
from maskdet.sessions.processor import threads_each
from maskdet.sources import Missed, Picture, PictureFile, Source, resolve
from maskdet.terminal.console import say
from maskdet.terminal.progress import ProgressBar
from maskdet.writers.outputs import Outputs
from maskdet.writers.tally import Tally

if TYPE_CHECKING:
    from maskdet.alerts.monitor import AlertMonitor
    from maskdet.cli.options.run import RunOptions
    from maskdet.tracking.face_tracker import FaceTracker
    from maskdet.writers.viewer import Viewer


class ErrorLog:
    """Prints each error as it comes, and remembers that there was one."""

    def __init__(self) -> None:
        """Start without errors."""
        self.any = False

    def report(self, error: MaskdetError) -> None:
        """Print one line on standard error."""
        self.any = True
        say(f"error: {error}")


def find_sources(
    names: Sequence[str],
    errors: ErrorLog,
    run: RunOptions,
    *,
    writes_to: Iterable[str | None] = (),
) -> list[Source]:
    """Return what can be read under these names; ``errors`` is told of the others.

    Args:
        names: as given.
        errors: is told of what is not there; what a search met and cannot read is among the sources, at the end.
        run: whether notes are errors, and whether they are printed.
        writes_to: folders of this run's pictures, which are never searched.

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
    notes = [one.error for one in missed if one.note and not run.strict]
    if notes and not run.quiet:
        for note in reversed(notes):  # the last one registered is the first to be called
            click.get_current_context().call_on_close(partial(say, f"note: {note}"))
    wrong: list[Source] = [replace(one, note=False) for one in missed if run.strict or not one.note]
    if not found:  # nothing to load a model for
        for one in wrong:
            if isinstance(one, Missed):
                errors.report(one.error)
        return []
    return [*found, *wrong] if not found[-1].endless else [*found[:-1], *wrong, found[-1]]


def _place(folder: str) -> Path:
    try:
        return real_path(folder)
    except FileNotFoundError:
        raise SourceError(folder, "cannot be written (the working folder is gone)") from None


def threads_for(sources: Sequence[Source]) -> int:
    """Return the threads that each run of the model should have, 0 for all: see ``MaskDetector``."""
    # A camera wants its newest frame answered soonest.
    return 0 if one_photo(sources) or any(source.endless for source in sources) else threads_each()


def one_photo(sources: Sequence[Source]) -> bool:
    """Whether there is one picture and nothing else."""
    return len(sources) == 1 and isinstance(sources[0], PictureFile)


@dataclass(slots=True)
class Outcome:
    """What a run has seen: results and sums where they were asked for, a class of ``--fail-on``, Ctrl-C or SIGTERM."""

    tally: Tally = field(default_factory=Tally)
    matched: bool = False
    interrupted: bool = False

    def print_tables(self) -> None:
        """Print the table of the pictures and that of the videos, each where there is one."""
        if self.tally.pictures:
            from maskdet.writers.tables import print_results

            print_results(self.tally.pictures)
        if self.tally.clips:
            from maskdet.writers.tables import print_clips

            print_clips(list(self.tally.clips.values()))

    def exit_code(self, errors: ErrorLog) -> int:
        """Return what the command ends with.

        Raises:
            click.Abort: the run was interrupted.
        """
        if self.interrupted:
            raise click.Abort
        return EXIT_ERROR if errors.any else EXIT_MATCHED if self.matched else EXIT_DONE


def run_sources(
    sources: Sequence[Source],
    predictor: Predictor,
    outputs: Outputs,
    errors: ErrorLog,
    run: RunOptions,
    *,
    tracker: FaceTracker | None = None,
    alerts: AlertMonitor | None = None,
    keep_tally: bool = True,
) -> Outcome:
    """Go through all sources; everything is closed and whole at the end, also after Ctrl-C.

    Args:
        sources: what to read.
        predictor: what to ask.
        outputs: where results go; opened and closed here, as ``alerts`` are.
        errors: is told of every error.
        run: how to go through the sources.
        tracker: gives faces of videos their ids.
        alerts: look at every result.
        keep_tally: gather what the tables need.

    Raises:
        SourceError: an output cannot be written, or a window cannot be opened.
    """
    outcome = Outcome()
    session = Session(predictor=predictor, tracker=tracker, batch=run.batch, stride=run.vid_stride)
    try:
        with Interrupt() as interrupt, ExitStack() as stack:
            viewer: Viewer | None = None
            if run.show:
                from maskdet.writers.viewer import Viewer

                viewer = stack.enter_context(Viewer())
            if alerts is not None:
                stack.enter_context(alerts)
            stack.enter_context(outputs)
            bar = stack.enter_context(FrameBar(sources, quiet=run.quiet or one_photo(sources)))
            answers = stack.enter_context(closing(session.answers(list(sources), report=errors.report)))
            for picture, found in answers:
                with interrupt.held():
                    result = session.identify(picture, found)
                    if alerts is not None:
                        alerts.check(result)
                    try:
                        outputs.write(picture, result)
                    except SourceError as error:
                        errors.report(error)
                    outcome.matched |= any(face.name in run.fail_on for face in result.faces)
                    if keep_tally:
                        outcome.tally.add(picture, result)
                    bar.count(picture)
                if viewer is not None and not viewer.show(result, wait=picture.clip is None):
                    break
                del picture, found, result  # else they are held while the next is decoded
    except KeyboardInterrupt:
        outcome.interrupted = True
    return outcome


class FrameBar(ProgressBar):
    """A progress bar over pictures and frames: a video counts as one until its first frame tells how many it has."""

    def __init__(self, sources: Sequence[Source], *, quiet: bool) -> None:
        """Expect one picture a source, and no end where a source has none."""
        endless = any(source.endless for source in sources)
        super().__init__("detect", total=None if endless else len(sources), quiet=quiet)
        self._clip: object = None

    def count(self, picture: Picture) -> None:
        """Count one picture or frame as done."""
        if picture.clip is not None and picture.clip is not self._clip:
            self._clip = picture.clip
            if self.total is not None:
                self.total = None if picture.clip.frames is None else self.total + picture.clip.frames - 1
        self.advance()
