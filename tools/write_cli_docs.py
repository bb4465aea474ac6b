"""Write ``docs/cli.md``, the help page of every command, from the commands themselves; ``--check`` only compares.

::

    python tools/write_cli_docs.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from maskdet.cli import cli

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "cli.md"
WIDTH = 100

HEAD = """# The command line

Written by `python tools/write_cli_docs.py` from the commands themselves; `maskdet COMMAND --help` prints the same.

Exit codes: 0 done; 1 `--fail-on` matched, and nothing else; 2 wrong usage, something that cannot be read or written (the rest is
done all the same; standard output full or closed, no rights, no room, no memory, a library that does not load); 70 an error
nobody expected, in one line (`--debug`, before or behind the command, shows its traceback and writes it to a file); 130
interrupted, by Ctrl-C, SIGTERM or SIGHUP, and tidied up; 141 the reader of standard output has left
(`maskdet detect … --json - | head -1`). `python -m maskdet` is the same command.
"""


def pages(command: click.Command, name: str, parent: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """Yield (name, help page) of a command and of all below it, in the order they are listed."""
    settings = {**cli.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH, "color": False}
    context = click.Context(command, parent=parent, info_name=name, **settings)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None, child
            yield from pages(found, child, context)


def render() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for name, text in pages(cli, "maskdet"):
        lines = "\n".join(line.rstrip() for line in click.unstyle(text).splitlines())
        parts.append(f"{'#' * min(4, 2 + name.count(' '))} {name}\n\n```text\n{lines}\n```\n")
    return "\n".join(parts)


def main() -> None:
    """Write the page, or with ``--check`` exit with a message where the committed one is out of date."""
    text = render()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{PAGE.relative_to(ROOT)} is out of date: run python tools/write_cli_docs.py")


if __name__ == "__main__":
    main()
