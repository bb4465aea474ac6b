"""A run: frozen or found again, its shards handed to an engine, its end written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final

from maskdet.batch.engines import Engine, Job
from maskdet.batch.manifest import MANIFEST, Manifest
from maskdet.batch.plan import Plan, differences
from maskdet.batch.rows import part_name
from maskdet.batch.shard import FOLDERS, ShardReport
from maskdet.batch.store import Store
from maskdet.batch.summary import ERRORS, SUCCESS, SUMMARY, Totals, failed_shards, finish
from maskdet.errors import SourceError

#: Shards that may break before a run ends: what breaks so many is no bad picture.
_MOST_BROKEN: Final = 3


@dataclass(frozen=True)
class Limit:
    """How many files may fail: a share of all, or a number."""

    value: float
    share: bool

    @classmethod
    def parse(cls, text: str) -> Limit:
        """Read ``1%`` or ``250``.

        Raises:
            ValueError: it is neither.

        >>> Limit.parse("1%"), Limit.parse("250")
        (Limit(value=0.01, share=True), Limit(value=250.0, share=False))
        """
        number = text.strip()
        share = number.endswith("%")
        try:
            value = float(number.removesuffix("%")) if share else int(number)
        except ValueError:
            value = -1
        if not 0 <= value <= (100 if share else 10**12):
            raise ValueError(f"{text!r} is neither a number of files nor a percentage, such as 1%")
        return cls(value / 100 if share else float(value), share)

    def passed(self, failed: int, files: int) -> bool:
        """Whether so many of so many are too many."""
        return failed > (self.value * files if self.share else self.value)


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        totals: over all shards, None where it is not complete.
        failed: files that failed, in all shards that are done, as far as known.
        broken: shards that ended early.
        stopped: there were more errors than allowed.
    """

    totals: Totals | None
    failed: int
    broken: int
    stopped: bool


class Run:
    """The results of one run, new or found again.

    Attributes:
        manifest: its list.
        plan: what it does; its sources, where none were named.
        todo: what is left to be done.
        done: shards that are done.
    """

    def __init__(self, store: Store, plan: Plan) -> None:
        """Find a run.

        Raises:
            SourceError: there is none, or it is another: the message says what differs.
        """
        self._store = store
        self.manifest = Manifest(store)
        if not plan.sources:
            plan = replace(plan, sources=tuple(self.manifest.about["sources"]))
        self.plan = plan
        if differ := differences(self.manifest.about, plan.fingerprint()):
            raise SourceError(
                store.location,
                f"begun otherwise: {'; '.join(differ)}. Give the same again, or another --out, or --overwrite",
            )
        self.done = sorted(done_shards(store, plan))
        left = set(range(self.manifest.shards)) - set(self.done)
        self.todo = [Job(shard) for shard in sorted(left)]

    def retry_failed(self) -> None:
        """Let the files that failed in shards that are done be done again."""
        kind = self.plan.format
        again = {shard for shard, _ in failed_shards(self._store, self.done, kind)}
        self.todo = sorted([*self.todo, *(Job(shard, retry=True) for shard in again)])
        self.done = [shard for shard in self.done if shard not in again]

    @property
    def left(self) -> int:
        """Files in what is left to be done."""
        sizes = self.manifest.sizes()
        return sum(sizes[job.shard] for job in self.todo)

    def work(self, engine: Engine, report: Callable[[ShardReport], None], limit: Limit | None = None) -> Outcome:
        """Do what is left, and write the end where all is done.

        Args:
            engine: does the shards.
            report: is told of each.
            limit: of files that may fail.

        Raises:
            SourceError: a part cannot be written or read.
        """
        failed = broken = 0
        if limit is not None:
            failed = sum(count for _, count in failed_shards(self._store, self.done, self.plan.format))
        stopped = limit is not None and limit.passed(failed, self.manifest.pictures)
        if self.todo and not stopped:
            self._store.remove(SUCCESS)
            with closing(engine(self.todo)) as reports:
                for one in reports:
                    report(one)
                    failed += one.failed
                    broken += one.broken is not None
                    stopped = limit is not None and limit.passed(failed, self.manifest.pictures)
                    if stopped or broken >= _MOST_BROKEN:
                        break
        if stopped or broken:
            return Outcome(None, failed, broken, stopped)
        for folder in FOLDERS:
            self._store.tidy(folder)
        totals = finish(self._store, self.manifest, self.plan.format)
        return Outcome(totals, len(totals.failed), 0, stopped=False)


def done_shards(store: Store, plan: Plan) -> set[int]:
    """Return the shards of which both parts are there."""
    there = [store.names(folder) for folder in FOLDERS]
    names = set.intersection(*there)
    numbers = (name.removeprefix("part-").partition(".")[0] for name in names)
    found = {int(number) for number in numbers if number.isascii() and number.isdigit()}
    return {shard for shard in found if part_name("", shard, plan.format).lstrip("/") in names}


def is_there(store: Store, *, resume: bool, overwrite: bool) -> bool:
    """Return whether a run is where this one is to write, and may be gone on with or removed.

    Raises:
        SourceError: a run is there and neither is asked for, or something else is there.
    """
    there = store.names()
    if MANIFEST not in there:
        parts = sorted(name for folder in FOLDERS for name in store.names(folder) if name.startswith("part-"))
        if other := sorted(there - set(FOLDERS)) or parts:
            raise SourceError(store.location, f"holds {other[0]}, and no list of a run: choose another --out")
        return False
    if not (resume or overwrite):
        raise SourceError(store.location, "holds a run already: --resume goes on with it, --overwrite begins anew")
    return True


def remove_run(store: Store) -> None:
    """Remove a run's files; its list last, so that what is left half removed is still known for a run.

    Raises:
        SourceError: one cannot be removed.
    """
    for name in (SUCCESS, SUMMARY, ERRORS):
        store.remove(name)
    for folder in reversed(FOLDERS):
        for name in store.names(folder):
            if name.startswith("part-"):
                store.remove(f"{folder}/{name}")
    store.remove(MANIFEST)
