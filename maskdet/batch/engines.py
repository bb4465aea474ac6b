"""Who does the shards: this process, or actors on Ray. Each takes a list of jobs and reports on each as it is done."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from maskdet.batch.plan import Plan
from maskdet.batch.shard import ShardReport, ShardWorker
from maskdet.batch.store import open_store
from maskdet.errors import MaskdetError, first_line
from maskdet.extras import require
from maskdet.sessions.devices import is_cpu
from maskdet.sessions.processor import usable_cores

#: Workers that a shard may lose before it is given up: what ends three is in its files.
_MOST_LOST: Final = 3

#: Of Ray's store of objects, in bytes, where we start Ray: a job and its report are a few hundred.
_OBJECT_STORE: Final = 100_000_000

#: Seconds between two looks at how large a cluster has become, and without a worker before that is said.
_LOOK_EVERY: Final = 10.0
_PATIENCE: Final = 60.0

#: Seconds that a cluster's head may take to answer.
_KNOCK: Final = 10.0

#: Tries to join a cluster: a busy head may answer late.
_TRIES: Final = 3


class Job(NamedTuple):
    """A shard that is to be done; ``retry`` as ``ShardWorker.run`` takes it."""

    shard: int
    retry: bool = False


#: Does jobs and yields a report for each, in any order; closing it ends the work and drops what is in hand.
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


@dataclass(frozen=True, kw_only=True)
class RayOptions:
    """How Ray is used.

    Attributes:
        address: of a cluster, ``auto`` for that of this machine; None for that of the job, or a new one.
        workers: how many, whether there is room yet or not; None for as many as the cluster has room for.
        worker_cpus: cores of each; it looks at as many pictures side by side.
    """

    address: str | None = None
    workers: int | None = None
    worker_cpus: int = 1


class ShardActor:
    """A ``ShardWorker`` in a process of Ray's. What is expected to go wrong is returned, not raised."""

    def load(self, out: str, plan: Plan, cores: int) -> MaskdetError | None:
        """Load the models."""
        from ray.util import get_node_ip_address

        try:
            self._worker = ShardWorker(open_store(out), plan, plan.models.load(threads=1), cores=cores)
        except (MaskdetError, ValueError) as error:
            return MaskdetError(f"a worker on {get_node_ip_address()}: {error}")
        return None

    def run(self, job: Job) -> ShardReport | MaskdetError:
        """Do a shard."""
        try:
            return do_shard(self._worker, job)
        except MaskdetError as error:
            return error


def ray_engine(out: str, plan: Plan, options: RayOptions, say: Callable[[str], None]) -> Engine:
    """Return an engine that does shards on a cluster, or on this machine, each in an actor of its own.

    Args:
        out: of the run, as every machine of the cluster reaches it.
        plan: what is done.
        options: how Ray is used.
        say: is told of what holds the run up.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    ray = require("ray", what="--engine ray", extra="batch")

    def run(jobs: Sequence[Job]) -> Generator[ShardReport]:
        # Ray tells of what happens to workers on standard output, which is not its.
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            started = _connect(ray, options)
            pool = _Pool(ray, out, plan, options, say)
            try:
                yield from pool.run(jobs)
            finally:
                pool.close()
                if started:
                    ray.shutdown()

    return run


def _connect(ray: Any, options: RayOptions) -> bool:
    """Connect to a cluster, or start Ray here; return whether there was no connection before.

    Raises:
        MaskdetError: it cannot be reached, or does not start.
    """
    if ray.is_initialized():
        return False
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if options.address is None and not os.environ.get("RAY_ADDRESS"):
        settings |= {"num_cpus": usable_cores(), "object_store_memory": _OBJECT_STORE, "include_dashboard": False}
        os.environ.setdefault(
            "RAY_agent_register_timeout_ms", "100000"
        )  # a busy machine takes longer than the usual 15 s
    _check_address(options.address)
    # Ray would take over what Ctrl-C and SIGTERM do.
    here = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM) if here}
    tries = 1 if options.address is None else _TRIES
    try:
        for left in reversed(range(tries)):
            try:
                # Ray lets workers import from where the driver stands, whatever lies there: nothing does at the root.
                with chdir(Path.cwd().anchor):
                    ray.init(address=options.address, **settings)
                break
            except Exception as error:  # of many kinds, plain ones among them
                if left:
                    time.sleep(1.0)
                    continue
                place = f"at {options.address}" if options.address else "on this machine"
                raise MaskdetError(f"--engine ray: no cluster {place} ({first_line(error)})") from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return True


def _check_address(address: str | None) -> None:
    """Knock where a cluster should be: Ray itself would try for minutes.

    Raises:
        MaskdetError: nobody answers.
    """
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_KNOCK).close()
    except (OSError, OverflowError) as error:
        raise MaskdetError(f"--engine ray: no cluster at {address} ({error})") from error


class _Pool:
    """Actors that do jobs: as many as the cluster has room for, new ones for those that are lost."""

    def __init__(self, ray: Any, out: str, plan: Plan, options: RayOptions, say: Callable[[str], None]) -> None:
        self._ray, self._out, self._plan, self._options, self._say = ray, out, plan, options, say
        device = plan.models.detector.get("device", "cpu")
        self._actor = ray.remote(ShardActor).options(
            num_cpus=options.worker_cpus, num_gpus=0 if device is None or is_cpu(str(device)) else 1
        )
        kinds = ray.exceptions
        #: How Ray says that a process, its machine, or what it has answered is gone.
        self._gone = (kinds.RayActorError, kinds.OutOfMemoryError, kinds.ObjectLostError)
        #: What is waited for: the actor, and its job, or None while it loads.
        self._pending: dict[Any, tuple[Any, Job | None]] = {}
        self._idle: list[Any] = []
        self._waiting: deque[Job] = deque()
        #: How often the worker of a shard was lost; under -1, how often one was while it loaded.
        self._lost: dict[int, int] = {}

    def run(self, jobs: Sequence[Job]) -> Generator[ShardReport]:
        """Do the jobs.

        Raises:
            MaskdetError: a worker cannot load its models, or a part cannot be written.
        """
        self._waiting.extend(jobs)
        left, looked, heard = len(jobs), 0.0, time.monotonic()
        while left:
            now = time.monotonic()
            if now - looked >= _LOOK_EVERY:
                looked = now
                self._grow(left)
            ready, _ = self._ray.wait(list(self._pending), timeout=1.0)
            for ref in ready:
                heard = now
                for report in self._take(ref):
                    left -= 1
                    yield report
            if not any(job for _, job in self._pending.values()) and now - heard > _PATIENCE:
                heard = now
                self._say(f"waiting for a worker: none of the cluster's machines has {self._needs()} to spare")

    def close(self) -> None:
        """End all actors, whatever they are doing."""
        for actor in [*self._idle, *(actor for actor, _ in self._pending.values())]:
            self._ray.kill(actor)
        self._pending.clear()

    def _grow(self, left: int) -> None:
        """Start as many actors as are asked for, else as the whole cluster has room for, and jobs."""
        resources = self._ray.cluster_resources()
        room = int(resources.get("CPU", 0) // self._options.worker_cpus)
        most = min(self._options.workers or max(room, 1), left)
        for _ in range(most - len(self._pending) - len(self._idle)):
            self._start()

    def _start(self) -> None:
        actor = self._actor.remote()
        self._pending[actor.load.remote(self._out, self._plan, self._options.worker_cpus)] = (actor, None)

    def _take(self, ref: Any) -> Generator[ShardReport]:
        """Take what an actor has answered, and give it its next job."""
        actor, job = self._pending.pop(ref)
        try:
            answer = self._ray.get(ref)
        except self._gone as error:
            # Where it did not begin, the cause stands last.
            reason = first_line(error) if job is not None else str(error).strip().splitlines()[-1]
            yield from self._lose(job, reason)
            return
        if isinstance(answer, MaskdetError):
            self._idle.append(actor)
            raise answer
        self._lost.pop(-1, None)
        self._idle.append(actor)
        self._hand_out()
        if answer is not None:
            yield answer

    def _lose(self, job: Job | None, reason: str) -> Generator[ShardReport]:
        """Put a job of an actor that is lost back, and start another actor."""
        shard = -1 if job is None else job.shard
        lost = self._lost[shard] = self._lost.get(shard, 0) + 1
        if job is None and lost >= _MOST_LOST:
            raise MaskdetError(f"--engine ray: workers end while they load the models ({reason})")
        if job is not None and lost >= _MOST_LOST:
            yield ShardReport(shard=job.shard, broken=f"its worker was lost {lost} times ({reason})")
        elif job is not None:
            self._say(f"note: a worker was lost; its shard, {job.shard}, is done again")
            self._waiting.appendleft(job)
        if self._waiting and not self._idle:
            self._start()
        self._hand_out()

    def _hand_out(self) -> None:
        while self._idle and self._waiting:
            actor, job = self._idle.pop(), self._waiting.popleft()
            self._pending[actor.run.remote(job)] = (actor, job)

    def _needs(self) -> str:
        cpus = self._options.worker_cpus
        return f"{cpus} {'core' if cpus == 1 else 'cores'}"
