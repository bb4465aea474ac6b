from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from maskdet.benchmark.runs import measure
from maskdet.errors import MaskdetError

TAKES = "data = bytearray({megabytes} * 2**20); data[::4096] = b'x' * len(data[::4096]); print('done')"


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell")
def test_memory_is_that_of_the_child_alone(tmp_path: Path) -> None:
    ours = bytearray(150 * 2**20)
    ours[::4096] = b"x" * len(ours[::4096])
    small, large = (measure(python(TAKES.format(megabytes=size)), tmp_path) for size in (1, 50))
    assert small.peak_mb is not None
    assert large.peak_mb is not None
    assert 50 <= large.peak_mb < 150
    assert small.peak_mb < 50
    assert len(ours) == 150 * 2**20


def test_output_and_figures(tmp_path: Path) -> None:
    usage = measure(python("print('one'); print('two')"), tmp_path)
    assert usage.output.split() == ["one", "two"]
    assert usage.figures()["wall_s"] == usage.wall_s > 0
    assert set(usage.figures()) <= {"wall_s", "cpu_s", "peak_mb"}


def test_it_runs_in_the_folder_without_what_decides_for_one_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("OMP_NUM_THREADS", "PYTHONDONTWRITEBYTECODE")
    for name in names:
        monkeypatch.setenv(name, "1")
    code = f"import os; print(os.getcwd(), [os.environ.get(name) for name in {names}], os.environ['YOLO_AUTOINSTALL'])"
    assert measure(python(code), tmp_path).output.split() == [str(tmp_path.resolve()), "[None,", "None]", "false"]


def test_yolo_keeps_nothing_in_a_home_that_has_none_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YOLO_CONFIG_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    asked = python("import os; print(os.environ.get('YOLO_CONFIG_DIR'))")
    assert measure(asked, tmp_path).output.strip() == str(tmp_path.resolve())
    (tmp_path / "home" / ".config" / "Ultralytics").mkdir(parents=True)
    assert measure(asked, tmp_path).output.strip() == "None"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without a word")
@pytest.mark.parametrize("busy", [0.0, 0.7], ids=["waiting", "still starting it"])
def test_what_it_started_ends_before_we_do(busy: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The command says that it runs, and tidies up when it is told to end.
    code = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: [time.sleep(0.2), pathlib.Path("tidied").touch(), sys.exit()])
os.kill(int(sys.argv[1]), signal.SIGINT)
time.sleep(60)
"""

    class Popen(subprocess.Popen[bytes]):
        def __init__(self, *command: Any, **options: Any) -> None:
            super().__init__(*command, **options)
            time.sleep(busy)  # as where memory is tidied up just then

    monkeypatch.setattr(subprocess, "Popen", Popen)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
    try:
        with pytest.raises(KeyboardInterrupt):
            measure([*python(code), str(os.getpid())], tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "tidied").exists()


def test_a_failure_ends_with_what_it_said(tmp_path: Path) -> None:
    code = "import sys; print('begun'); print('first', file=sys.stderr); sys.exit('last words')"
    with pytest.raises(MaskdetError, match=r"^tool go: failed with exit code 1: last words$"):
        measure(python(code), tmp_path, shown="tool go")
    with pytest.raises(MaskdetError, match=r"nonsense: could not be started: .*No such file"):
        measure([str(tmp_path / "nonsense")], tmp_path)
