"""Who does the shards: this process, or Ray. Each takes numbers of shards and gives back reports as they are done."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

from maskdet.batch.shard import ShardReport, ShardWorker
from maskdet.errors import MaskdetError, first_line


class Job(NamedTuple):
    """A shard that is to be done.

    Attributes:
        shard: its number.
        retry: see ``ShardWorker.run``.
    """

    shard: int
    retry: bool = False


#: Does shards and yields a report for each, in any order; closing it ends the work, and drops what is in hand.
Engine = Callable[[Sequence[Job]], Generator[ShardReport]]


def do_shard(worker: ShardWorker, job: Job) -> ShardReport:
    """Do a shard; what nobody expected ends this one, with its cause, and not the run."""
    try:
        return worker.run(job.shard, retry=job.retry)
    except MaskdetError:
        raise
    except Exception as error:  # a million pictures wait behind it, and its cause is told
        return ShardReport(shard=job.shard, broken=f"unexpected {type(error).__name__}: {first_line(error)}")


def local_engine(worker: ShardWorker) -> Engine:
    """Return an engine that does one shard after the other in this process, on all of its cores."""

    def run(jobs: Sequence[Job]) -> Generator[ShardReport]:
        for job in jobs:
            yield do_shard(worker, job)

    return run
