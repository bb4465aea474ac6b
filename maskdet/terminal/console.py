"""What people read and what programs read: lines, tables and texts, each through one door.

Names and messages come from outside: whatever is in them, they cannot steer a terminal or make two lines of one.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from maskdet.errors import SourceError
from maskdet.files.opening import NamedFile
from maskdet.printable import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


#: Width where standard output is a file or a pipe and ``COLUMNS`` says nothing, wide enough for a long path.
_PIPE_WIDTH: Final = 160


def say(text: str) -> None:
    """Print one line to people, on standard error."""
    import click

    click.echo(printable(text), err=True)


def show(text: str) -> None:
    """Print one line on standard output."""
    import click

    click.echo(printable(text))


def cell(text: object) -> str:
    r"""Return text from outside for a table of rich: one line, and no markup.

    >>> cell("e\x1b[31m[bold]\n")
    'e\\x1b[31m\\[bold]\\n'
    """
    from rich.markup import escape

    return escape(printable(str(text)))


def width() -> int:
    """Return the columns of standard output: the terminal's, those of ``COLUMNS``, or many for a file or pipe."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal():
        return shutil.get_terminal_size().columns
    return _PIPE_WIDTH


def console() -> Console:
    """Return rich's console on standard output, which does not squeeze tables when piped."""
    from rich.console import Console

    class Screen(Console):
        def on_broken_pipe(self) -> None:
            """Let the caller decide: rich would exit with 1."""
            raise BrokenPipeError

        def render_str(self, text: str, **options: Any) -> Text:
            """Escape what no ``cell`` has escaped; line ends that are meant stay."""
            return super().render_str("\n".join(map(printable, text.split("\n"))), **options)

    return Screen(width=width(), highlight=False, soft_wrap=False, emoji=False)


def program_output() -> TextIO:
    r"""Return standard output for what programs read: UTF-8 whatever the terminal's encoding, the same bytes as a file.

    A byte of a file name that is no UTF-8 is written as ``\\udcff``, which JSON reads back as that name.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")
    return sys.stdout


def to_bytes(text: str) -> bytes:
    r"""Return a text as it stands in a file that programs read; see ``program_output``.

    >>> to_bytes("caf\udce9.jpg")
    b'caf\\udce9.jpg'
    """
    return text.encode(errors="backslashreplace")


@contextmanager
def named_errors(target: str) -> Iterator[None]:
    """Turn what goes wrong with a file into one line that names it.

    A pipe whose reader has left is passed on as it is: the reader has what it wants, and nothing is wrong.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "standard output" if target == "-" else target
        raise SourceError(name, f"cannot be written ({error.strerror})") from error


@contextmanager
def open_text(target: str) -> Iterator[TextIO]:
    """Open a file for text, ``"-"`` meaning standard output.

    Raises:
        SourceError: the file cannot be written.
    """
    if target == "-":
        yield program_output()
        return
    with named_errors(target):
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        # A file name that is not UTF-8 must not end a run: its odd bytes are shown as \udcff.
        buffered = io.BufferedWriter(NamedFile(target, target))
        with io.TextIOWrapper(buffered, encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield file
