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

from maskdet.datasets.convert import ConvertOptions, convert
from maskdet.datasets.workers.pool import MIN_FILES, ProcessPool
from maskdet.errors import AnnotationError, DatasetError, MaskdetError

QUICK = ConvertOptions(duplicates=False, quiet=True)


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


@pytest.fixture
def in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the smallest data set be read and written by two processes, four files at once."""
    monkeypatch.setattr("maskdet.datasets.workers.pool.MIN_FILES", 1)
    monkeypatch.setattr("maskdet.datasets.workers.pool.usable_cores", lambda: 2)
    monkeypatch.setattr("maskdet.datasets.voc.read.CHUNK", 4)
    monkeypatch.setattr("maskdet.datasets.convert.CHUNK", 3)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("duplicates", [False, True])
def test_processes_write_the_same_bytes(
    ten_photos: Path, tmp_path: Path, request: pytest.FixtureRequest, duplicates: bool
) -> None:
    options = ConvertOptions(duplicates=duplicates, quiet=True)
    (ten_photos / "annotations/p7.xml").write_text("<annotation><filename>p7.jpg</filename></annotation>")
    alone = convert(ten_photos, tmp_path / "alone", options)
    request.getfixturevalue("in_processes")
    assert convert(ten_photos, tmp_path / "together", options) == alone
    assert content(tmp_path / "alone") == content(tmp_path / "together")


@pytest.mark.usefixtures("in_processes")
def test_the_first_error_names_file_and_line(ten_photos: Path, tmp_path: Path) -> None:
    for name, stop in (("p8", 20), ("p6", 30)):
        path = ten_photos / f"annotations/{name}.xml"
        path.write_text(path.read_text()[:-stop])
    with pytest.raises(AnnotationError, match=r"p6.xml:\d+: not well-formed XML") as caught:
        convert(ten_photos, tmp_path / "out", QUICK)
    assert caught.value.line is not None
    assert list(tmp_path.glob(".*")) == []
    assert not (tmp_path / "out").exists()


SLOW = """
import signal, sys, time
from functools import partial
from pathlib import Path
from maskdet.datasets.workers.pool import ProcessPool
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
