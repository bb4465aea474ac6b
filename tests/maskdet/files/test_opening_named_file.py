from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from maskdet.errors import SourceError
from maskdet.files.opening import NamedFile


def test_it_writes_as_any_file(tmp_path: Path) -> None:
    with io.BufferedWriter(NamedFile(tmp_path / "a", "a")) as file:
        file.write(b"one\n")
    assert (tmp_path / "a").read_bytes() == b"one\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_the_first_failure_is_told_and_no_other() -> None:
    with io.BufferedWriter(NamedFile("/dev/full", "it")) as file:
        file.write(b"one")
        with pytest.raises(SourceError, match=r"^it: cannot be written \(No space left on device\)$"):
            file.flush()
        file.write(b"two")
        file.flush()


def test_a_full_pipe_that_does_not_block_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    much = b"x" * 200_000  # more than any pipe holds
    got: list[bytes] = []

    def read() -> None:
        while sum(map(len, got)) < len(much):
            got.append(os.read(reading, 65536))

    thread = threading.Thread(target=read)
    thread.start()
    with io.BufferedWriter(NamedFile(writing, "pipe")) as file:
        file.write(much)
    thread.join()
    os.close(reading)
    os.close(writing)
    assert b"".join(got) == much


def test_a_reader_who_has_left_is_told_as_such() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    file = NamedFile(writing, "pipe")
    with pytest.raises(BrokenPipeError):
        file.write(b"x")
    assert file.write(b"later") == 5
    os.close(writing)
