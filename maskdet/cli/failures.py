"""What ended a command early, as one line for people and an exit code."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from maskdet.cli import DEBUG, EXIT_DONE, EXIT_ERROR, EXIT_INTERRUPTED, EXIT_PIPE, EXIT_UNEXPECTED
from maskdet.errors import MaskdetError
from maskdet.printable import printable, shortened

if TYPE_CHECKING:
    import click

#: Libraries whose name, or whose package, is not that of their module: name for people, name for pip.
_LIBRARIES: Final = {
    "cv2": ("OpenCV", "opencv-python"),
    "onnxruntime": ("ONNX Runtime", "onnxruntime"),
    "openvino": ("OpenVINO", "openvino"),
    "numpy": ("NumPy", "numpy"),
    "yaml": ("PyYAML", "pyyaml"),
    "PIL": ("Pillow", "pillow"),
}

#: A library of the system's, as the loader names it.
_SHARED: Final = re.compile(r"\blib[\w.+-]+\.so\b")

#: Megabytes below a limit of ours at which whatever fails does so for lack of memory.
_LITTLE_MEMORY: Final = 256


def report(error: BaseException, words: Sequence[str], *, interrupted: bool = False) -> int:
    """Say on standard error what ended the command, and return its exit code.

    Args:
        error: what came out of it.
        words: the command line, which may ask for the traceback.
        interrupted: there was a signal: then nothing else is to blame.
    """
    cause = error
    with suppress(ImportError):  # without click there are no errors of its own either
        import click

        if isinstance(error, click.ClickException) and not interrupted:
            # What was typed cannot steer the terminal.
            text = printable(_told(error))
            shown = click.UsageError(text, error.ctx) if isinstance(error, click.UsageError) else None
            (shown or click.ClickException(text)).show()
            return EXIT_ERROR
        if isinstance(error, click.Abort):
            # click takes the end of a file, wherever it was met, for Ctrl-D.
            cause = error.__cause__ if isinstance(error.__cause__, EOFError) else KeyboardInterrupt()
    if interrupted or isinstance(cause, KeyboardInterrupt):
        # A terminal shows ^C where the cursor is.
        _say("\ninterrupted" if sys.stderr is not None and sys.stderr.isatty() else "interrupted")
        return EXIT_INTERRUPTED
    if isinstance(cause, SystemExit) and cause.code in {None, EXIT_DONE, EXIT_PIPE}:
        return EXIT_PIPE if cause.code == EXIT_PIPE else EXIT_DONE
    line, code = explain(cause)
    if DEBUG in words:
        file = _write_report(cause, words)
        line += f"; the report: {file}" if file else ""
    elif code == EXIT_UNEXPECTED:
        line += f"; with {DEBUG} a report for the people who mend it"
    _say(printable(f"error: {line}"))
    return code


def _told(error: click.ClickException) -> str:
    import click

    if isinstance(error, click.NoSuchOption):
        from maskdet.cli.hints import unknown_option

        return unknown_option(error) or error.format_message()
    return error.format_message()


def explain(error: BaseException) -> tuple[str, int]:
    """Return the line and the exit code for an error that ended a command.

    >>> explain(PermissionError(13, "Permission denied", "out/a.json"))
    ('out/a.json: permission denied', 2)
    >>> explain(KeyError("shape"))
    ("unexpected KeyError: 'shape'", 70)
    """
    if isinstance(error, MaskdetError):
        return str(error), EXIT_ERROR
    library = broken_library(error)
    # Loading one takes most of a small limit at a time.
    if isinstance(error, MemoryError) or memory_is_short(1.0 if library else 0.25):
        told = f" ({_first_line(error)})" if isinstance(error, MemoryError) and str(error) else ""
        return f"not enough memory{told}: close other programs, or ask for less at once", EXIT_ERROR
    if library is not None:
        return _about_library(library, error), EXIT_ERROR
    if isinstance(error, OSError) and error.strerror:
        return _about_system(error), EXIT_ERROR
    told = _first_line(error)
    return f"unexpected {type(error).__name__}{told and f': {told}'}", EXIT_UNEXPECTED


def broken_library(error: BaseException) -> str | None:
    """Return the name of a library that cannot be imported, None where something else went wrong.

    It is the first module outside this package that ran when the error came, if it ran because it was imported.
    """
    own = __name__.partition(".")[0]
    outside: list[tuple[str, str]] = []
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        name = module.partition(".")[0]
        if name == own:
            outside = []
        elif name != "importlib" and not trace.tb_frame.f_code.co_filename.startswith("<frozen importlib"):
            outside.append((name, trace.tb_frame.f_code.co_name))
        trace = trace.tb_next
    missing = error.name.partition(".")[0] if isinstance(error, ImportError) and error.name else None
    if outside and outside[0][1] == "<module>":
        library: str | None = outside[0][0]
    elif isinstance(error, ImportError):
        library = missing or (outside[0][0] if outside else None)
    else:
        return None
    return None if library in {own, "__main__"} else library


def memory_is_short(share: float = 0.25) -> bool:
    """Whether this process has a limit on its memory (``ulimit -v``) and has come near it, or to this share of it."""
    try:
        import resource
        from pathlib import Path

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return False
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except (ImportError, OSError, ValueError):  # not a system that can tell
        return False
    return limit - used < min(_LITTLE_MEMORY * 2**20, limit * share)


def _about_library(library: str, error: BaseException) -> str:
    title, package = _LIBRARIES.get(library, (library, library))
    cause = error
    while isinstance(cause.__cause__, ImportError):
        cause = cause.__cause__
    if isinstance(cause, ModuleNotFoundError) and (cause.name or "").partition(".")[0] == library:
        return f"{title} is not installed: pip install {package}"
    told = _first_line(cause) or type(cause).__name__
    way = f"pip install --force-reinstall {package}"
    if library == "cv2" and _SHARED.search(told):
        way = "apt-get install libgl1 libglib2.0-0, or opencv-python-headless in place of opencv-python"
    return f"{title} cannot be loaded ({told}): {way}"


def _about_system(error: OSError) -> str:
    reason = str(error.strerror)
    reason = reason[:1].lower() + reason[1:]
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        reason += ": allow more (ulimit -n)"
    if error.filename is not None:
        name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else str(error.filename)
        return f"{shortened(name)}: {reason}"
    try:
        os.getcwd()  # noqa: PTH109 - a path object is not needed
    except OSError:
        return "the working folder is gone: change to one that is there"
    return reason


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else ""


def _write_report(error: BaseException, words: Sequence[str]) -> str | None:
    """Print the traceback, and write it to a file with what else explains it; None where none can be written."""
    import platform
    import tempfile
    import traceback

    from maskdet.version import __version__

    trace = "".join(traceback.format_exception(error))
    _say(trace.rstrip())
    about = (
        f"maskdet {__version__}, Python {platform.python_version()}, {platform.platform()}\nwords: {list(words)!r}\n"
    )
    try:
        handle, name = tempfile.mkstemp(prefix="maskdet-report-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{about}\n{trace}")
    except OSError:
        return None
    return name


def _say(text: str) -> None:
    if sys.stderr is not None:
        print(text, file=sys.stderr, flush=True)
