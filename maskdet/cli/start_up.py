"""The start and the end of a process, without work that changes nothing, and the signals that end a run.

Ctrl-C, SIGTERM and SIGHUP end it cleanly, and never in the middle of a result.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, TextIO

from maskdet.cli import EXIT_PIPE
from maskdet.errors import MaskdetError
from maskdet.files.opening import NamedFile

#: What libraries take of variables by these names. OpenCV ends the process without a word where it is something else,
#: at the latest with its first picture; OpenMP complains on standard error.
_TAKEN: Final = (
    (
        r"OPENCV_(FOR_THREADS_NUM|IO_MAX_IMAGE_\w+|IMGCODECS_\w+_SIZE|FFMPEG_\w+_ATTEMPTS|THREAD_POOL_\w+|KMEANS_\w+)"
        r"|OPENCV_OPENCL_ALIGNMENT\w+|OPENCV_VIDEOIO_PRIORITY_(?!LIST)\w+",
        r"\d{1,18}([MK]B|[MK]b|[mk]b)?",
    ),
    (
        r"OPENCV_(BUFFER_\w+|DUMP_\w+|ENABLE_\w+|FFMPEG_(DEBUG|IS_THREAD_SAFE|SKIP_\w+)|GAUSSIANBLUR_\w+|SKIP_\w+|TRACE)"
        r"|OPENCV_(VIDEOCAPTURE|VIDEOIO|VIDEOWRITER)_DEBUG|OPENCV_OPENCL_(CACHE|DISABLE|ENABLE|VALIDATE)_\w+",
        r"[01]|[Tt]rue|TRUE|[Ff]alse|FALSE",
    ),
    (r"OMP_NUM_THREADS", r"[1-9]\d{0,5}(,[1-9]\d{0,5})*"),
)

#: Read by OpenCV: its own and FFmpeg's warnings would stand beside our one line about a bad file.
_QUIET: Final = {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8"}

#: Counts of threads, which libraries else take from the machine.
_THREADS: Final = ("OPENCV_FOR_THREADS_NUM", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def settle(environment: MutableMapping[str, str], *, cores: int, machine: int) -> None:
    """Drop values that a library ends at, silence OpenCV, and tell all of a container's quota.

    What the user has set and a library can read stays.

    Args:
        environment: of this process, before the libraries load; processes that it starts inherit it.
        cores: that it may use.
        machine: cores of the machine.

    >>> variables = {"OPENCV_IO_MAX_IMAGE_PIXELS": "many", "OMP_NUM_THREADS": "1"}
    >>> settle(variables, cores=2, machine=64)
    >>> [variables.get(name) for name in ("OPENCV_IO_MAX_IMAGE_PIXELS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")]
    [None, '1', '2']
    """
    for names, values in _TAKEN:
        for name in [name for name in environment if re.fullmatch(names, name)]:
            if not re.fullmatch(values, environment[name]):
                del environment[name]
    given = _QUIET | (dict.fromkeys(_THREADS, str(cores)) if cores < machine else {})
    if "MPLBACKEND" in environment:
        environment["MPLBACKEND"] = "agg"  # plots go to files; matplotlib does not load where it does not know another
    for name, value in given.items():
        environment.setdefault(name, value)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Import and load without the garbage collector.

    Modules make hundreds of thousands of objects that stay; every few thousand of them the collector would walk through
    all that there are.

    >>> with collector_paused():
    ...     gc.isenabled()
    False
    >>> gc.isenabled()
    True
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def own_process() -> None:
    """Prepare a process that is ours: its standard streams, its threads, and libraries that would talk.

    Standard output that cannot be written is an error of one line, said once; standard error that cannot is no error.
    """
    from maskdet.sessions.processor import usable_cores

    settle(os.environ, cores=usable_cores(), machine=os.cpu_count() or 1)
    # A stream that is closed leaves its number to the next file that is opened, into which libraries would then print.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115 - a descriptor, for good
    if sys.stderr is None or isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _stream(_StandardError(2, "standard error"), sys.stderr)
    if sys.stdout is None or isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _stream(_StandardOutput(1, closed=sys.stdout is None), sys.stdout)


def silence_libraries() -> None:
    """Keep what C libraries print (libpng, libjpeg, FFmpeg, ONNX Runtime) and Python's warnings off standard error.

    They know the descriptor only, which from now on leads nowhere; ``sys.stderr`` goes on where it went. Programs that
    are started inherit the descriptor: whoever wants to hear them gives them ``sys.stderr``.
    """
    import warnings

    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _stream(_StandardError(os.dup(2), "standard error"), sys.stderr)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)


class _StandardOutput(NamedFile):
    """Standard output; a reader who has left ends the process as a shell expects it."""

    def __init__(self, number: int, *, closed: bool) -> None:
        super().__init__(number, "standard output")
        self._closed = closed

    def write(self, data: Any, /) -> int:
        if self._closed and not self._lost:
            self._lost = True
            raise MaskdetError("standard output is closed")
        try:
            return super().write(data)
        except BrokenPipeError:
            raise SystemExit(EXIT_PIPE) from None


class _StandardError(NamedFile):
    """Standard error; where nobody can be told, nobody is."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except (OSError, MaskdetError):
            return len(data)


def _stream(raw: io.RawIOBase, before: TextIO | None) -> TextIO:
    """Return a text stream over ``raw`` that is as the one before, but shows what its encoding cannot say."""
    buffered = io.BufferedWriter(raw)
    if not isinstance(before, io.TextIOWrapper):
        return io.TextIOWrapper(buffered, "utf-8", "backslashreplace", line_buffering=True)
    return io.TextIOWrapper(
        buffered,
        before.encoding,
        "backslashreplace",
        line_buffering=before.line_buffering,
        write_through=before.write_through,
    )


def end_at_once(status: Callable[[], int]) -> None:
    """Let the process end without the interpreter's last tidying, which frees what the system takes back with it.

    Everything registered at exit from now on still runs first, and output is flushed.

    Args:
        status: the exit code, asked for at the end.
    """

    def leave() -> None:
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
        except (OSError, ValueError):
            return  # the interpreter says what became of the output, in its own way and with its own exit code
        os._exit(status())

    atexit.register(leave)


#: SIGTERM is how services and containers are stopped, SIGHUP comes when a terminal is closed. Windows has no SIGHUP.
_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupt:
    """While entered, each signal raises ``KeyboardInterrupt`` in the main thread, inside ``held`` only at its end.

    A SIGHUP or SIGTERM that is ignored stays so, as under ``nohup``. Elsewhere than in the main thread, where no
    handler may be set, nothing changes.

    Attributes:
        came: there was a signal, whatever became of the exception: libraries turn it into their own.
    """

    def __init__(self) -> None:
        """Prepare; handlers are set on entering."""
        self.came = False
        self._held = self._waiting = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupt:
        """Set the handlers."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        """Put the former handlers back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let what is inside be done to its end first."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._waiting:
            self._waiting = False
            raise KeyboardInterrupt

    def leave_with(self, code: int) -> None:
        """Let any further signal end the process at once: all is done, and threads may still be waited for."""
        for number in self._before:
            signal.signal(number, lambda *_: os._exit(code))
        self._before = {}

    def _handle(self, number: int, frame: object) -> None:
        again, self.came = self.came, True
        if again and number != signal.SIGINT:
            return  # systems send several at once, and what runs now may be what cleans up
        if self._held and not self._waiting:
            self._waiting = True
            return
        # The second Ctrl-C does not wait: what is written to may be stuck.
        raise KeyboardInterrupt
