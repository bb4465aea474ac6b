"""How a run is measured: each command in a process of its own, and all of them in turn."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from maskdet.errors import MaskdetError
from maskdet.terminal.progress import ProgressBar

#: How long what we started may tidy up when we are ended, in seconds.
_PATIENCE: Final = 5.0

#: Starts the command and waits for it. It stands between us and the command because Linux counts the memory that the
#: parent holds at the start in the child's peak: ours would be in every figure, this one's is 15 MB.
_LAUNCHER: Final = """
import json, os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: None)  # it is the child's, which is waited for, and which starts without this
start = time.perf_counter()
child = subprocess.Popen(sys.argv[2:])
if hasattr(os, "wait4"):
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    peak = used.ru_maxrss if sys.platform == "darwin" else used.ru_maxrss * 1024
    facts = [os.waitstatus_to_exitcode(status), seconds, used.ru_utime + used.ru_stime, peak]
else:
    facts = [child.wait(), time.perf_counter() - start, None, None]
with open(sys.argv[1], "w") as file:
    json.dump(facts, file)
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a command took, Python's start included, with all processes it started and waited for.

    ``peak_mb`` is the most memory that one of its processes held, in MB of 2²⁰ bytes; None where the system does not
    say.
    """

    wall_s: float
    cpu_s: float | None
    peak_mb: float | None
    output: str

    def figures(self) -> dict[str, float]:
        """Return the numbers that are known, by name."""
        known = {"wall_s": self.wall_s, "cpu_s": self.cpu_s, "peak_mb": self.peak_mb}
        return {name: value for name, value in known.items() if value is not None}


def measure(command: Sequence[str], folder: Path, *, shown: str | None = None) -> Usage:
    """Run a command in ``folder`` and measure it; three files that begin with ``.measured`` are left there.

    Raises:
        MaskdetError: it failed; the message ends with the last line it wrote.
    """
    facts, out, err = (folder / f".measured-{name}" for name in ("facts", "out", "err"))
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(facts.resolve()), *command]
    facts.unlink(missing_ok=True)
    with out.open("wb") as out_file, err.open("wb") as err_file:
        run_to_its_end(launcher, cwd=folder, stdout=out_file, stderr=err_file, env=_environment(folder))
    output = out.read_text(encoding="utf-8", errors="replace")
    code, wall, cpu, peak = json.loads(facts.read_text()) if facts.exists() else (None, 0.0, None, None)
    if code != 0:
        said = [line.strip() for text in (output, err.read_text("utf-8", "replace")) for line in text.splitlines()]
        last = next((line for line in reversed(said) if line), "it said nothing")
        how = "could not be started" if code is None else f"failed with exit code {code}"
        raise MaskdetError(f"{shown or ' '.join(command)}: {how}: {last[:300]}")
    return Usage(wall, cpu, None if peak is None else peak / 2**20, output)


def run_to_its_end(command: Sequence[str], **streams: Any) -> int:
    """Run a program and return its exit code; when we are ended, it and what it started end first, tidied up."""
    groups = hasattr(os, "killpg")
    with _held_back() as release:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0 if groups else None, **streams)
        try:
            release()
            return child.wait()
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM) if groups else child.terminate()
            try:
                child.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL) if groups else child.kill()
                child.wait()
            raise


@contextmanager
def _held_back() -> Iterator[Callable[[], None]]:
    """Hold back the signals that end us until the function given is called, or the block ends; then they arrive.

    A process that is started while one arrives would be nobody's, and go on. Only the main thread has signals.
    """
    numbers = [number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None))]
    came: list[int] = []
    before: dict[int, Any] = {}

    def release() -> None:
        for number in list(before):
            signal.signal(number, before.pop(number))
        while came:
            signal.raise_signal(came.pop(0))

    try:
        if threading.current_thread() is threading.main_thread():
            for number in numbers:
                if signal.getsignal(number) is not None:  # what C installed, Python could not put back
                    before[number] = signal.signal(number, lambda number, _: came.append(number))
        yield release
    finally:
        release()


#: Threads for one tool; or no bytecode for what runs from its source, while pip compiled that of all others.
_DECIDES: Final = frozenset({"OMP_NUM_THREADS", "PYTHONDONTWRITEBYTECODE"})


def _environment(folder: Path) -> dict[str, str]:
    """Return our environment, less what would decide for a tool, with whatever keeps its libraries from reporting.

    Where ``yolo`` has no settings yet, it keeps them in ``folder``.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _DECIDES}
    settings = Path(os.path.expanduser("~/.config/Ultralytics"))  # noqa: PTH111 - there may be no home
    own = {} if settings.exists() else {"YOLO_CONFIG_DIR": str(folder.resolve())}
    # OpenVINO's import sends an event, but not in automated runs, as this is.
    return {"CI": "true"} | own | environment | {"YOLO_AUTOINSTALL": "false", "PYTHONIOENCODING": "utf-8"}


#: Figures of one run by name; the name ends with the unit.
Sample = Mapping[str, float]
Way = Callable[[], Sample]


@dataclass(slots=True)
class Rounds:
    """What came of taking turns: by way one sample a round, or why it could not be run."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def medians(self, way: str) -> dict[str, float]:
        """Return the median of each figure over the rounds that have it; nothing for a way that was not run.

        >>> Rounds({"a": [{"s": 1.0}, {"s": 9.0}, {"s": 2.0, "mb": 7.0}]}).medians("a")
        {'s': 2.0, 'mb': 7.0}
        """
        samples = self.samples.get(way, [])
        names = dict.fromkeys(name for sample in samples for name in sample)
        return {name: statistics.median(one[name] for one in samples if name in one) for name in names}

    def ratio(self, above: str, below: str, figure: str) -> float | None:
        """Return the median over the rounds of one way's figure divided by another's of the same round.

        A load that comes and goes hits both figures of a round alike, and cancels; in a ratio of medians it would not.

        >>> rounds = Rounds({"a": [{"s": 2.0}, {"s": 40.0}], "b": [{"s": 1.0}, {"s": 20.0}]})
        >>> rounds.ratio("a", "b", "s")
        2.0
        """
        pairs = zip(self.samples.get(above, []), self.samples.get(below, []), strict=False)
        ratios = [one[figure] / other[figure] for one, other in pairs if figure in one and other.get(figure, 0) > 0]
        return statistics.median(ratios) if ratios else None


def alternate(
    ways: Mapping[str, Way],
    runs: int,
    *,
    optional: Collection[str] = (),
    warm_up: bool = True,
    label: str = "benchmark",
    quiet: bool = True,
) -> Rounds:
    """Run every way once unmeasured, so that caches are warm for all, and then once a round.

    An optional way that fails is left out from then on.
    """
    rounds = Rounds({name: [] for name in ways})
    with ProgressBar(label, total=len(ways) * (runs + warm_up), quiet=quiet) as bar:
        for number in range(runs + warm_up):
            for name, way in ways.items():
                if name not in rounds.failed:
                    try:
                        sample = way()
                    except MaskdetError as error:
                        if name not in optional:
                            raise
                        rounds.failed[name] = str(error)
                        rounds.samples[name] = []
                    else:
                        if number or not warm_up:
                            rounds.samples[name].append(sample)
                bar.advance()
    return rounds
