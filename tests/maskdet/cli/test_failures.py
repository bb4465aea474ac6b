"""Whatever ends a command early is one line and an exit code that is not that of --fail-on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from maskdet.cli import main
from maskdet.cli.failures import broken_library, explain
from maskdet.errors import SourceError

COMMAND = [sys.executable, "-m", "maskdet"]

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")


def ended(
    words: list[str | Path],
    *,
    before: str = "",
    cwd: Path | None = None,
    prepare: Callable[[], object] | None = None,
    **environment: str,
) -> tuple[int, str, str]:
    """Run the command as a process of its own, after some Python; return (exit code, stdout, stderr)."""
    code = f"{before}\nfrom maskdet.cli import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        env={**os.environ, **environment},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=prepare,
    )
    return done.returncode, done.stdout, done.stderr


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let ``maskdet info`` raise an error."""

    def fail() -> None:
        raise error

    monkeypatch.setattr("maskdet.cli.info.gather", fail)


def stopped(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(words)
    return stop.value.code, *capsys.readouterr()


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (SourceError("a.jpg", "no such file"), 2, "error: a.jpg: no such file"),
        (PermissionError(13, "Permission denied", "/srv/x"), 2, "error: /srv/x: permission denied"),
        (OSError(28, "No space left on device"), 2, "error: no space left on device"),
        (OSError(24, "Too many open files"), 2, "error: too many open files: allow more (ulimit -n)"),
        (MemoryError(), 2, "error: not enough memory: close other programs, or ask for less at once"),
        (KeyError("x"), 70, "error: unexpected KeyError: 'x'; with --debug a report for the people who mend it"),
        (EOFError("cut"), 70, "error: unexpected EOFError: cut; with --debug a report for the people who mend it"),
        (RecursionError("a\nb"), 70, "error: unexpected RecursionError: a; with --debug a report for the people who …"),
        (SystemExit(1), 70, "error: unexpected SystemExit: 1; with --debug a report for the people who mend it"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_one_line_and_a_code(
    error: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, error)
    given, out, err = stopped(["info"], capsys)
    assert (given, out) == (code, "")
    assert err.count("\n") == 1
    assert err.rstrip("\n").startswith(line.rstrip("…"))


@pytest.mark.parametrize("words", [["--debug", "info"], ["info", "--debug"]])
def test_debug_shows_and_keeps_the_traceback(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, KeyError("x"))
    code, _, err = stopped(words, capsys)
    assert code == 70
    *trace, last = err.rstrip().splitlines()
    assert trace[0] == "Traceback (most recent call last):"
    assert trace[-1] == "KeyError: 'x'"
    start, _, name = last.partition("; the report: ")
    assert start == "error: unexpected KeyError: 'x'"
    report = Path(name)
    assert "\n".join(trace) in report.read_text()
    assert repr(words) in report.read_text()
    report.unlink()


def test_a_word_behind_the_dashes_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = stopped(["detect", "--", "--debug"], capsys)
    assert code == 2
    assert "--debug" in err


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            "raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')",
            "error: OpenCV cannot be loaded (libGL.so.1: cannot open shared object file: No such file or directory): "
            "apt-get install libgl1 libglib2.0-0, or opencv-python-headless in place of opencv-python",
        ),
        (
            "raise ModuleNotFoundError('No module named cv2', name='cv2')",
            "error: OpenCV is not installed: pip install ",
        ),
        ("raise AttributeError('_ARRAY_API not found')", "error: OpenCV cannot be loaded (_ARRAY_API not found): pip "),
        ("import nowhere", "error: OpenCV cannot be loaded (No module named 'nowhere'): pip install --force-"),
    ],
)
def test_a_library_that_does_not_load(content: str, line: str, tmp_path: Path, astronaut: Path) -> None:
    (tmp_path / "cv2.py").write_text(content)
    code, out, err = ended(["detect", astronaut, "--no-save"], PYTHONPATH=str(tmp_path))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(line)


@pytest.mark.parametrize("name", ["numpy", "onnxruntime", "click"])
def test_a_library_that_is_missing(name: str, astronaut: Path) -> None:
    # None is how Python says that a module is not to be found.
    code, _, err = ended(["detect", astronaut, "--no-save"], before=f"import sys; sys.modules[{name!r}] = None")
    assert code == 2
    assert err.startswith("error: ") and err.count("\n") == 1
    assert f"pip install {name}" in err


def test_a_library_that_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is left of a small limit is too much for our own work to fail, not enough for a library to load.
    monkeypatch.setattr("maskdet.cli.failures.memory_is_short", lambda share=0.25: share == 1)
    error = ImportError("libQt5Gui.so.5: failed to map segment from shared object", name="cv2")
    assert explain(error) == ("not enough memory: close other programs, or ask for less at once", 2)
    assert explain(KeyError("x"))[1] == 70


def test_our_own_modules_are_no_library() -> None:
    with pytest.raises(ImportError) as caught:
        from maskdet.errors import nothing  # type: ignore[attr-defined]  # noqa: F401
    assert broken_library(caught.value) is None
    assert explain(caught.value)[1] == 70


@FULL
@pytest.mark.parametrize(
    "words", [["info"], ["info", "--json"], ["--version"], ["--help"], ["data", "check", "--help"]], ids=" ".join
)
def test_standard_output_is_full(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    line = "error: standard output: cannot be written (No space left on device)\n"
    assert (done.returncode, done.stderr) == (2, line)


def test_standard_output_is_closed(astronaut: Path, tmp_path: Path) -> None:
    words = ["detect", astronaut, "--json", "-"]
    code, _, err = ended(words, prepare=lambda: os.close(1))
    assert (code, err) == (2, "error: standard output is closed\n")
    # Nobody asked for a word: all is well, and no file got what was meant for nobody.
    words = ["detect", astronaut, "--quiet", "--json", tmp_path / "a.json"]
    assert ended(words, prepare=lambda: [os.close(number) for number in (0, 1, 2)])[0] == 0
    assert (tmp_path / "a.json").read_text().startswith('{"schema"')


def test_standard_error_is_closed() -> None:
    assert ended(["detect", "nowhere.jpg"], prepare=lambda: os.close(2))[0] == 2


@pytest.mark.parametrize("words", [["info"], ["--help"], ["detect", "--help"]], ids=" ".join)
def test_a_reader_who_leaves_ends_it_quietly(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*COMMAND, *words], stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@FULL
def test_a_full_device_is_told_once(astronaut: Path) -> None:
    words = ["detect", astronaut, astronaut, "--no-save", "--quiet", "--json", "/dev/full"]
    code, _, err = ended(words)
    assert (code, err) == (2, "error: /dev/full: cannot be written (No space left on device)\n")


def test_the_working_folder_is_gone(astronaut: Path, tmp_path: Path) -> None:
    def leave() -> None:
        (tmp_path / "gone").mkdir()
        os.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()

    code, _, err = ended(["detect", astronaut], prepare=leave)
    assert (code, err) == (2, "error: maskdet-out: cannot be written (the working folder is gone)\n")
    code, out, err = ended(["detect", astronaut, "--json", "-"], prepare=leave)
    assert (code, err, out.count("\n")) == (0, "", 1)
