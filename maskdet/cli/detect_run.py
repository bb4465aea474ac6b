"""The run of ``maskdet detect``: sources through the model to the outputs, with progress, errors and Ctrl-C."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from maskdet.cli.start_up import Interrupt
from maskdet.errors import MaskdetError, SourceError
from maskdet.prediction.pipeline import Predictor, answer_source
from maskdet.results import MaskResult
from maskdet.sessions.processor import threads_each
from maskdet.sources import Picture, PictureFile, Source
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


def threads_for(sources: Sequence[Source]) -> int:
    """Return the threads that each run of the model should have, 0 for all: see ``MaskDetector``."""
    # A camera wants its newest frame answered soonest.
    return 0 if one_photo(sources) or any(source.endless for source in sources) else threads_each()


def one_photo(sources: Sequence[Source]) -> bool:
    """Whether there is one picture and nothing else."""
    return len(sources) == 1 and isinstance(sources[0], PictureFile)


@dataclass(slots=True)
class Outcome:
    """What a run has seen.

    Attributes:
        tally: results and sums, where they were asked for.
        matched: a face of a class of ``--fail-on`` was found.
        interrupted: Ctrl-C or SIGTERM ended the run.
    """

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


class Task:
    """One run of ``maskdet detect``."""

    def __init__(
        self,
        sources: Sequence[Source],
        predictor: Predictor,
        outputs: Outputs,
        errors: ErrorLog,
        run: RunOptions,
        *,
        tracker: FaceTracker | None = None,
        alerts: AlertMonitor | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            sources: what to read.
            predictor: what to ask.
            outputs: where results go; opened and closed by ``run``.
            errors: is told of every error.
            run: how to go through the sources.
            tracker: gives faces of videos their ids.
            alerts: looks at every result; opened and closed by ``run``.
        """
        self._sources, self._predictor, self._outputs, self._errors = sources, predictor, outputs, errors
        self._options, self._tracker, self._alerts = run, tracker, alerts

    def run(self, *, keep_tally: bool = True) -> Outcome:
        """Go through all sources; everything is closed and whole at the end, also after Ctrl-C.

        Args:
            keep_tally: gather what the tables need.

        Raises:
            SourceError: an output cannot be written, or a window cannot be opened.
        """
        outcome, options = Outcome(), self._options
        try:
            with Interrupt() as interrupt, ExitStack() as stack:
                viewer: Viewer | None = None
                if options.show:
                    from maskdet.writers.viewer import Viewer

                    viewer = stack.enter_context(Viewer())
                if self._alerts is not None:
                    stack.enter_context(self._alerts)
                stack.enter_context(self._outputs)
                bar = stack.enter_context(FrameBar(self._sources, quiet=options.quiet or one_photo(self._sources)))
                answers = answer_source(
                    list(self._sources),
                    self._predictor,
                    report=self._errors.report,
                    batch=options.batch,
                    stride=options.vid_stride,
                )
                for picture, found in stack.enter_context(closing(answers)):
                    with interrupt.held():
                        result = self._finish(picture, found)
                        outcome.matched |= any(face.name in options.fail_on for face in result.faces)
                        if keep_tally:
                            outcome.tally.add(picture, result)
                        bar.count(picture)
                    if viewer is not None and not viewer.show(result, wait=picture.clip is None):
                        break
                    del picture, found, result  # else they are held while the next is decoded
        except KeyboardInterrupt:
            outcome.interrupted = True
        return outcome

    def _finish(self, picture: Picture, found: MaskResult) -> MaskResult:
        """Track, alert and write; return the result with its ids."""
        result = found if self._tracker is None else self._tracker.update(found, frame_rate=picture.rate)
        if self._alerts is not None:
            self._alerts.check(result)
        self._write(picture, result)
        return result

    def _write(self, picture: Picture, result: MaskResult) -> None:
        try:
            self._outputs.write(picture, result)
        except SourceError as error:
            self._errors.report(error)


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
