"""Workers with hostile inputs, watched: each case has its time, and one that ends its process is known by its number."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

TOOLS: Final = Path(__file__).resolve().parent.parent

#: Seconds that a case may take.
SECONDS: Final = 20.0

#: Seconds that a process may take to load its libraries.
LOADING: Final = 120.0

#: Cases that one process takes before a fresh one follows: what they leave in memory must not add up.
BATCH: Final = 150

#: Kinds of faults, in the order of the summary.
KINDS: Final = (
    "signal", "traceback", "hang", "memory", "exit code", "foreign code", "network", "input changed", "half file", "not one line",
)  # fmt: skip


@dataclass(slots=True)
class Summary:
    """What came of a run.

    Attributes:
        ran: cases that were run.
        seconds: how long it took.
        faults: case (``"voc 17"``) and what was wrong with it.
        codes: exit codes, and how often each came.
        slowest: seconds and name of the case that took longest.
    """

    ran: int = 0
    seconds: float = 0.0
    faults: list[tuple[str, str]] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")

    def line(self) -> str:
        """Return the counts in one line."""
        counts = Counter(text.partition(":")[0] for _, text in self.faults)
        shown = " · ".join(f"{kind} {counts[kind]}" for kind in KINDS)
        return f"{self.ran} inputs in {self.seconds:.0f} s: {shown}"


def watch(
    cases: Sequence[tuple[str, int]],
    *,
    workers: int = 2,
    keep: Path | None = None,
    seconds: float = SECONDS,
    tell: Callable[[str, str], None] = lambda case, fault: None,
) -> Summary:
    """Run hostile inputs in processes of their own and return what came of them.

    Args:
        cases: pairs of reader and number; see ``hostile.cases``.
        workers: processes at once.
        keep: a folder where the inputs stay; else they are removed.
        seconds: what a case may take.
        tell: is told of each fault as it is found.
    """
    summary, begun = Summary(), time.monotonic()
    lock = threading.Lock()
    waiting: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    # A reader's cases stay together, since each reader has its own libraries to load.
    names = [f"{reader} {number}" for reader, number in cases]
    for start in range(0, len(names), BATCH):
        waiting.put(names[start : start + BATCH])

    def note(case: str, found: dict[str, Any]) -> None:
        with lock:
            summary.ran += 1
            summary.codes[str(found.get("code"))] += 1
            summary.slowest = max(summary.slowest, (found.get("seconds", 0.0), case))
            for fault in found["faults"]:
                summary.faults.append((case, fault))
                tell(case, fault)

    def work() -> None:
        while True:
            try:
                batch = waiting.get_nowait()
            except queue.Empty:
                return
            while batch:
                batch = _one_process(batch, note, keep, seconds)

    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work) for _ in range(workers)]:
            done.result()
    summary.seconds = time.monotonic() - begun
    return summary


def _one_process(
    batch: list[str], note: Callable[[str, dict[str, Any]], None], keep: Path | None, seconds: float
) -> list[str]:
    """Run a batch in one process; return the cases that are left where it ended early."""
    environment = {**os.environ, "PYTHONPATH": str(TOOLS), **({} if keep is None else {"HOSTILE_KEEP": "1"})}
    left, running, code = list(batch), False, None
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    with (
        tempfile.TemporaryDirectory(prefix="maskdet-hostile-", ignore_cleanup_errors=True) as scratch,
        tempfile.TemporaryFile() as last_words,
        subprocess.Popen(
            [sys.executable, "-m", "hostile.worker", str(keep or scratch)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=last_words,
            env=environment,
            start_new_session=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        pump = threading.Thread(target=_pump, args=(process.stdout, lines))
        pump.start()
        process.stdin.write("\n".join(batch).encode())
        process.stdin.close()
        try:
            while (line := lines.get(timeout=seconds if running else LOADING)) is not None:
                said = json.loads(line)
                running = "start" in said
                if not running:
                    note(left.pop(0), said)
            code = process.wait()
        except queue.Empty:
            note(left.pop(0), {"faults": [f"hang: more than {seconds:.0f} s"], "seconds": seconds})
        with contextlib.suppress(ProcessLookupError):  # itself, and what it has started
            os.killpg(process.pid, signal.SIGKILL)
        pump.join()
        if code is not None and left:  # it ended in the middle of one
            last_words.seek(0)
            said_last = last_words.read().decode(errors="replace").strip().splitlines()[-1:]
            kind = f"signal: {signal.Signals(-code).name}" if code < 0 else f"traceback: ended with {code}"
            note(left.pop(0), {"faults": [" ".join([kind, *said_last])]})
    return left


def _pump(stream: IO[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)
