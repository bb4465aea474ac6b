"""The garbage collector rests while a command loads, and at the end of the process; in between it works as ever."""

from __future__ import annotations

import gc
import subprocess
import sys

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


def test_nothing_is_left_to_collect_when_the_process_ends() -> None:
    # Functions called at exit run last one first: ours sees what the freezing left.
    script = (
        "import atexit, gc\n"
        "from maskdet.cli.start_up import end_without_collecting\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 1000))\n"
        "end_without_collecting()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
