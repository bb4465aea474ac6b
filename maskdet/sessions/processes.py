"""Work for many small files, spread over processes: in order, a bounded number on the way, and none that stays behind.

Threads do not help where Python itself is busy, and ``multiprocessing`` would import the script of the caller again in
every process. So each process here runs ``serve``, gets its tasks through its standard input and ends with it, whatever
ends the process that feeds it.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from maskdet.errors import MaskdetError
from maskdet.sessions.processor import MAX_WORKERS, usable_cores

Task = TypeVar("Task")
Answer = TypeVar("Answer")

#: Below so many files the work is done before further processes are up.
MIN_FILES: Final = 3000

_START: Final = "import sys; sys.path[:] = {path!r}; from maskdet.sessions.processes import serve; serve()"


class ProcessPool:
    """Processes that work side by side, started at the first call that has enough to do, gone on leaving."""

    def __init__(self, processes: int | None = None) -> None:
        """Prepare for so many processes, one a core and at most 8 by default; one stands for this process alone."""
        self._count = min(usable_cores(), MAX_WORKERS) if processes is None else processes
        if not sys.executable or getattr(sys, "frozen", False):  # Python inside another program: none to start
            self._count = 1
        self.workers: list[_Worker] = []
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes, and wait until they have."""
        for worker in self.workers:
            worker.stop()

    def splits(self, files: int) -> bool:
        """Whether work on so many files is given to processes."""
        return self._count > 1 and files >= MIN_FILES

    def map(
        self, make: Callable[[], Callable[[Task], Answer]], tasks: Iterable[Task], *, files: int
    ) -> Generator[Answer, None, None]:
        """Yield the answer to each task in order; few files are worked on in this process.

        ``make`` makes the function that answers, once in every process; pickled, as are tasks, taken a few ahead.

        Raises:
            MaskdetError: as the function does; or a process ended before its work was done.
        """
        if not self.splits(files):
            yield from map(make(), tasks)
            return
        if not self.workers:
            self.workers = [_Worker() for _ in range(self._count)]
            for worker in self.workers:
                self._idle.put(worker)
        waiting: deque[Future[Answer]] = deque()
        # A thread for each process: where one waited for all, two pipes could be full at once, each until the other is
        # read.
        with ThreadPoolExecutor(self._count) as threads:
            try:
                for task in tasks:
                    waiting.append(threads.submit(self._answer, make, task))
                    if len(waiting) > 2 * self._count:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _answer(self, make: Callable[[], Callable[[Task], Answer]], task: Task) -> Answer:
        worker = self._idle.get()
        try:
            return worker.answer(make, task)
        finally:
            self._idle.put(worker)


class _Worker:
    """One process, seen from here."""

    def __init__(self) -> None:
        # A group of its own keeps Ctrl-C from it: it ends when we do.
        apart: dict[str, Any] = {"process_group": 0}
        if os.name == "nt":
            apart = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        command = [sys.executable, "-c", _START.format(path=sys.path)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **apart)
        self._made: Callable[[], object] | None = None

    def answer(self, make: Callable[[], Callable[[Task], Answer]], task: Task) -> Answer:
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            pickle.dump((None if make is self._made else make, task), self.process.stdin)
            self.process.stdin.flush()
            done, answer = pickle.load(self.process.stdout)
        except (EOFError, OSError) as error:
            code = self.process.wait()
            reason = f"a process that read or wrote files ended too early (code {code}): is there enough memory?"
            raise MaskdetError(reason) from error
        self._made = make
        if not done:
            raise answer
        result: Answer = answer
        return result

    def stop(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdout.close()
        with contextlib.suppress(OSError):  # it is gone already, and something was still to be sent
            self.process.stdin.close()
        self.process.wait()


def serve() -> None:
    """Answer tasks from standard input on standard output until the input ends."""
    # Services stop all their processes at once: this one ends with the one that feeds it, which tidies up.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    tasks = sys.stdin.buffer
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # whatever a library may print must not get among the answers
        function: Callable[[Any], Any] | None = None
        while True:
            try:
                make, task = pickle.load(tasks)
            except EOFError:
                return
            try:
                if make is not None:
                    function = make()
                assert function is not None
                answer = True, function(task)
            except (MaskdetError, OSError) as error:
                answer = False, error
            try:
                pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
                answers.flush()
            except BrokenPipeError:  # nobody waits for it any more
                os._exit(0)
