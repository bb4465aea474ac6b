"""The ``maskdet`` command: parses options and passes them on; every command's code loads when it is called.

Importing this loads nothing: from the first moment a signal or a missing library ends the command in one line.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maskdet.cli.group import COMMANDS as COMMANDS
    from maskdet.cli.group import cli as cli

#: What a command ends with. Only ``--fail-on`` ends one with 1; 70 is ``EX_SOFTWARE`` of sysexits.h.
EXIT_DONE, EXIT_MATCHED, EXIT_ERROR, EXIT_UNEXPECTED, EXIT_INTERRUPTED = 0, 1, 2, 70, 130

#: What a shell reports of a tool whose reader has left (``maskdet … | head -1``): 128 + SIGPIPE.
EXIT_PIPE = 141

#: Asks for the traceback of whatever ends a command; understood before and behind the command's name.
DEBUG = "--debug"

#: Commands that read strangers' files: what libraries think of these is no message of ours.
QUIET = frozenset({"detect", "batch", "classify", "compare", "convert", "data", "serve", "val"})


def __getattr__(name: str) -> Any:
    if name not in {"cli", "COMMANDS"}:
        raise AttributeError(f"module 'maskdet.cli' has no attribute {name!r}")
    from maskdet.cli import group

    return getattr(group, name)


def main(args: Sequence[str] | None = None) -> Any:
    """Run the command line; whatever ends it early becomes one line on standard error and an exit code.

    Args:
        args: the words after ``maskdet``; None for those of this process, whose streams and end are then ours too.

    Raises:
        SystemExit: always.
    """
    from maskdet.cli.start_up import Interrupt

    ours = args is None
    words = list(sys.argv[1:] if args is None else args)
    code = EXIT_UNEXPECTED
    with Interrupt() as interrupt:
        try:
            if ours:
                from maskdet.cli.start_up import end_at_once, own_process, silence_libraries

                own_process()
                if words and words[0] in QUIET and DEBUG not in words:
                    silence_libraries()
                end_at_once(lambda: code)
            code = _run(words)
            if sys.stdout is not None:
                sys.stdout.flush()
        except BaseException as error:
            from maskdet.cli.failures import report

            code = report(error, words, interrupted=interrupt.came)
        if ours:
            interrupt.leave_with(code)
    sys.exit(code)


def _run(words: list[str]) -> int:
    from maskdet.cli.group import cli

    behind = words.index("--") if "--" in words else len(words)
    given = [word for word in words[:behind] if word != DEBUG] + words[behind:]
    code = cli.main(args=given, prog_name="maskdet", standalone_mode=False)
    return code if isinstance(code, int) else EXIT_DONE
