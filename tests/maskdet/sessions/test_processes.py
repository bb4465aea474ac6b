from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from maskdet.datasets.convert import convert
from maskdet.errors import AnnotationError, DatasetError, MaskdetError
from maskdet.sessions.processes import MIN_FILES, ProcessPool

# Makes a function that raises 2 to a power. Other processes import what they run, so it comes from Python itself.
POWER = partial(partial, pow, 2)


def test_answers_come_in_order_from_several_processes() -> None:
    with ProcessPool(2) as pool:
        answers = list(pool.map(POWER, range(100), files=MIN_FILES))
    assert answers == [2**number for number in range(100)]


def test_few_files_start_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    with ProcessPool(2) as pool:
        assert list(pool.map(POWER, [3], files=MIN_FILES - 1)) == [8]
    with ProcessPool(1) as pool:
        assert list(pool.map(POWER, [3], files=MIN_FILES)) == [8]


def test_tasks_are_taken_a_few_ahead_only() -> None:
    taken = 0

    def tasks() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    with ProcessPool(2) as pool, closing(pool.map(POWER, tasks(), files=MIN_FILES)) as answers:
        next(answers)
        assert taken <= 6


def test_an_error_keeps_its_kind_and_words() -> None:
    make = partial(partial, convert, out=Path("out"))  # refuses every source
    with ProcessPool(2) as pool, pytest.raises(DatasetError, match="none: no such folder"):
        list(pool.map(make, [Path("none")], files=MIN_FILES))


def test_a_process_that_dies_is_told() -> None:
    with ProcessPool(2) as pool, pytest.raises(MaskdetError, match=r"ended too early \(code 3\)"):
        list(pool.map(partial(partial, os._exit), [3], files=MIN_FILES))


def test_processes_end_with_the_pool() -> None:
    with ProcessPool(2) as pool:
        list(pool.map(POWER, range(4), files=MIN_FILES))
        processes = [worker.process for worker in pool.workers]
        assert [process.poll() for process in processes] == [None, None]
    assert [process.poll() for process in processes] == [0, 0]


SLOW = """
import signal, sys, time
from functools import partial
from pathlib import Path
from maskdet.sessions.processes import ProcessPool
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is started with it ignored
with ProcessPool(2) as pool:
    print("ready", flush=True)
    list(pool.map(partial(partial, time.sleep), [0.2] * 1000, files=10**6))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot interrupt a single process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_stays_behind(number: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    # Standard error ends when the last process that holds it has.
    _, said = process.communicate(timeout=60)
    assert process.returncode == -number
    # One traceback at most, our own: the others say nothing.
    assert said.count(b"Traceback") == (number == signal.SIGINT)


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(AnnotationError(Path("a.xml"), "is wrong", 7)))
    assert (type(error), str(error), error.path, error.reason, error.line) == (
        AnnotationError,
        "a.xml:7: is wrong",
        "a.xml:7",
        "is wrong",
        7,
    )
