"""The garbage collector rests while a command loads; a process ends with its exit code and all that it wrote."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maskdet.cli.start_up import collector_paused


def test_the_collector_is_left_as_it_was() -> None:
    with pytest.raises(ValueError, match="loading failed"), collector_paused():
        assert not gc.isenabled()
        raise ValueError("loading failed")
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def ended(script: str, *, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run a script that asks for a swift end with exit code 3."""
    head = "import atexit, sys\nfrom maskdet.cli.start_up import end_at_once\nend_at_once(lambda: 3)\n"
    return subprocess.run(
        [sys.executable, "-c", head + script],
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def test_the_end_runs_what_is_registered_and_flushes() -> None:
    done = ended("atexit.register(print, 'later')\nprint('now', end=' ')\nsys.stderr.write('said')")
    assert (done.returncode, done.stdout, done.stderr) == (3, "now later\n", "said")


def test_the_end_comes_before_objects_are_destroyed() -> None:
    script = "class Thing:\n    def __del__(self):\n        print('destroyed', flush=True)\nthing = Thing()\n"
    assert ended(script).stdout == ""
    usual = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert usual.stdout == "destroyed\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_lost_output_is_no_success() -> None:
    with Path("/dev/full").open("w") as full:
        done = ended("print('much')", stdout=full.fileno())
    assert done.returncode not in {0, 3}
    assert "No space left" in done.stderr
