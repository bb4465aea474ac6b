"""``maskdet batch``: very many pictures, in shards that are resumed, to Parquet or JSON Lines."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Literal

import click

from maskdet.cli import EXIT_DONE, EXIT_ERROR, EXIT_MATCHED
from maskdet.cli.options import option, options
from maskdet.cli.options.model import ModelOptions
from maskdet.cli.options.run import RunOptions
from maskdet.terminal.console import say, show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from maskdet.batch.engines import Engine
    from maskdet.batch.manifest import Entry
    from maskdet.batch.plan import Format, LoadedModels, ModelChoice, Plan
    from maskdet.batch.run import Limit, Outcome, Run
    from maskdet.batch.store import Store
    from maskdet.errors import SourceError


def limit_of(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Limit | None:
    """Turn ``1%`` or ``250`` into a limit; a click callback."""
    if value is None:
        return None
    from maskdet.batch.run import Limit

    try:
        return Limit.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """Where a run is kept, whether it goes on, and how it is cut and ended."""

    out: str = option("--out", metavar="DIR|ADDRESS", required=True, help="Where the run and its results are kept.")
    resume: bool = option("--resume", is_flag=True, help="Go on with the run that is there; begin where there is none.")
    overwrite: bool = option("--overwrite", is_flag=True, help="Remove the run that is there, and begin anew.")
    retry_failed: bool = option("--retry-failed", is_flag=True, help="Do again what failed in the run that is there.")
    dry_run: bool = option("--dry-run", is_flag=True, help="List the sources and say what would be done.")
    shard_size: int = option(
        "--shard-size", type=click.IntRange(1), default=2000, show_default=True, help="Pictures a shard."
    )
    format: Format = option(
        "--format",
        type=click.Choice(["parquet", "jsonl"]),
        default="parquet",
        show_default=True,
        help="Of the parts: Parquet, or JSON Lines.",
    )
    limit: int | None = option("--limit", type=click.IntRange(1), help="Take the first so many files of the list only.")
    max_errors: Limit | None = option(
        "--max-errors",
        metavar="N|N%",
        callback=limit_of,
        help="Exit with 0 if no more files fail, and stop where more do.  [default: go on, and exit with 2]",
    )
    engine: Literal["local", "ray"] = option(
        "--engine",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="Who does the shards: this process, or workers on Ray.",
    )
    ray_address: str | None = option(
        "--ray-address",
        metavar="HOST:PORT|auto",
        help="The Ray cluster; auto: that of this machine.  [default: a new one]",
    )
    workers: int | None = option(
        "--workers", type=click.IntRange(1), help="Workers on Ray.  [default: as many as there is room for]"
    )
    worker_cpus: int = option(
        "--worker-cpus", type=click.IntRange(1), default=1, show_default=True, help="Cores of each worker on Ray."
    )

    def check(self) -> None:
        """Stop at options that contradict each other.

        Raises:
            click.UsageError: there are such.
        """
        if self.overwrite and self.goes_on:
            other = "resume" if self.resume else "retry-failed"
            raise click.UsageError(f"--overwrite and --{other} contradict each other")
        if self.engine == "local":
            for name, value in (("--ray-address", self.ray_address), ("--workers", self.workers)):
                if value is not None:
                    raise click.UsageError(f"{name} belongs to --engine ray")

    @property
    def goes_on(self) -> bool:
        """Whether a run that is there is gone on with."""
        return self.resume or self.retry_failed


@click.command()
@click.argument("sources", metavar="SOURCE…", nargs=-1)
@options(job=BatchOptions)
@options("fail_on", run=RunOptions)
@options(model=ModelOptions)
@options("batch", "vid_stride", "strict", "quiet", run=RunOptions)
def batch(sources: tuple[str, ...], *, job: BatchOptions, run: RunOptions, model: ModelOptions) -> int:
    """Find the faces in very many pictures and videos, in a run that can be ended at any time and goes on.

    SOURCE is a folder (searched through), a glob pattern, a picture or a video; an address that fsspec knows (s3://,
    gs://, …) of a file, a prefix or a pattern; or a list, .csv or .parquet with a column uri. They are listed once, in
    DIR/manifest.parquet, and done in shards: DIR/faces and DIR/pictures hold a part of each. A shard is done when both
    parts are there; a run that was ended does the others with --resume.
    """
    job.check()
    model.check()
    model = model.settled()
    from maskdet.batch.listing import full_name
    from maskdet.batch.plan import Plan
    from maskdet.batch.store import open_store

    plan = Plan(
        models=_choice(model).anywhere(),
        batch=run.batch,
        vid_stride=run.vid_stride,
        format=job.format,
        shard_size=job.shard_size,
        limit=job.limit,
        sources=tuple(map(full_name, sources)),
    )
    return _Command(open_store(job.out), plan, job, run).run(sources)


def _choice(model: ModelOptions) -> ModelChoice:
    """Return the models in the form that travels."""
    from maskdet.batch.plan import ModelChoice

    return ModelChoice(
        mode=model.mode or "detect",
        classifier=model.classifier,
        detector={
            "weights": model.weights,
            "conf": model.conf,
            "iou": model.iou,
            "imgsz": model.imgsz,
            "agnostic_nms": model.agnostic_nms,
            "tile": model.tile_size or model.tile,
            "close_ups": model.close_ups,
            "augment": bool(model.augment),
            "device": model.device,
            "runtime": model.runtime,
            "precision": model.precision,
            "trust_weights": model.trust_weights,
        },
    )


class _Command:
    """One call of ``maskdet batch``."""

    def __init__(self, store: Store, plan: Plan, job: BatchOptions, run: RunOptions) -> None:
        self._store, self._plan, self._job, self._run = store, plan, job, run
        self._missed = False

    def run(self, sources: tuple[str, ...]) -> int:
        """Find or begin the run, do what is left, and return the exit code."""
        from maskdet.batch.manifest import freeze
        from maskdet.batch.run import Run, is_there, remove_run

        job = self._job
        found = is_there(self._store, resume=job.goes_on or job.dry_run, overwrite=job.overwrite)
        if not sources and not (found and job.goes_on):
            raise click.UsageError("Missing argument 'SOURCE…'.")
        if job.dry_run:
            return self._say_what(Run(self._store, self._plan)) if found and job.goes_on else self._count(sources)
        models = self._load()
        if found and job.overwrite:
            remove_run(self._store)
        if not (found and job.goes_on):
            shards = self._shards(sources)
            first = next(shards, None)
            if first is None:
                return EXIT_ERROR
            freeze(self._store, chain([first], shards), self._plan.fingerprint())
        run = Run(self._store, self._plan)
        if job.retry_failed:
            run.retry_failed()
        return self._work(run, models)

    def _load(self) -> LoadedModels:
        """Load the models, before a list of millions is made for them.

        On Ray the workers load them again; here they only say that the options go together, and which classes there
        are, which needs no device.
        """
        from maskdet.sessions.processor import threads_each

        models = self._plan.models
        try:
            loaded = (models if self._job.engine == "local" else models.on_cpu()).load(threads=threads_each())
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        self._run.check_classes(loaded.names)
        return loaded

    def _shards(self, sources: tuple[str, ...]) -> Iterator[list[Entry]]:
        """List the sources, and say what is in the way."""
        from maskdet.batch.listing import list_files
        from maskdet.batch.manifest import cut_shards

        def report(error: SourceError, note: bool) -> None:
            wrong = self._run.strict or not note
            self._missed |= wrong
            if wrong or not self._run.quiet:
                say(f"{'error' if wrong else 'note'}: {error}")

        files = list_files(sources, report, [self._store.location])
        return cut_shards(islice(files, self._plan.limit), self._plan.shard_size, self._plan.vid_stride)

    def _count(self, sources: tuple[str, ...]) -> int:
        """Say what a run would do."""
        from maskdet.batch.manifest import is_video

        files = videos = size = shards = 0
        for shard in self._shards(sources):
            files, shards = files + len(shard), shards + 1
            videos += sum(is_video(entry.uri) for entry in shard)
            size += sum(entry.size or 0 for entry in shard)
        what = f"{files:,} files, {videos:,} of them videos, {size / 1e6:,.1f} MB"
        show(f"{what}, in {shards:,} shards; nothing is written")
        return EXIT_ERROR if self._missed or not files else EXIT_DONE

    def _say_what(self, run: Run) -> int:
        """Say what is left of a run."""
        shards, done = run.manifest.shards, len(run.done)
        show(f"{done:,} of {shards:,} shards are done; {run.left:,} of {run.manifest.pictures:,} files are left")
        return EXIT_DONE

    def _work(self, run: Run, models: LoadedModels) -> int:
        from maskdet.batch.progress import Progress

        quiet, on_ray = self._run.quiet, self._job.engine == "ray"
        if run.done and not quiet:
            say(f"{len(run.done):,} of {run.manifest.shards:,} shards are done already")
        try:
            with Progress(run.left, quiet=quiet, by_shard=on_ray) as progress:
                engine = self._engine(run.plan, models, progress.tick)
                outcome = run.work(engine, progress.report, self._job.max_errors)
        except KeyboardInterrupt:
            say("ended; what is done stays: go on with --resume")
            raise click.Abort from None
        return self._end(outcome)

    def _engine(self, plan: Plan, models: LoadedModels, tick: Callable[[bool], None]) -> Engine:
        """Return what does the shards.

        Raises:
            MaskdetError: Ray is not installed, or there is no run.
        """
        from maskdet.batch.engines import RayOptions, local_engine, ray_engine
        from maskdet.batch.shard import ShardWorker

        job = self._job
        if job.engine == "local":
            return local_engine(ShardWorker(self._store, plan, models, tick=tick))
        ray = RayOptions(address=job.ray_address, workers=job.workers, worker_cpus=job.worker_cpus)
        return ray_engine(self._store.location, plan, ray, say)

    def _end(self, outcome: Outcome) -> int:
        """Say how it ended, and return the exit code."""
        totals = outcome.totals
        if totals is None:
            why = f"{outcome.failed:,} errors are more than --max-errors" if outcome.stopped else "shards are left"
            say(f"error: not complete: {why}; what is done stays: go on with --resume")
            return EXIT_ERROR
        if not self._run.quiet:
            counts = ", ".join(f"{count:,} {name}" for name, count in totals.counts.items())
            failed = f"; {outcome.failed:,} failed, see errors.jsonl" if outcome.failed else ""
            show(f"{totals.rows:,} pictures, {totals.faces:,} faces ({counts}){failed}: {self._store.location}")
        if self._missed or (outcome.failed and self._job.max_errors is None):
            return EXIT_ERROR
        return EXIT_MATCHED if any(totals.counts.get(name) for name in self._run.fail_on) else EXIT_DONE
