"""What every command that makes a report needs: the command that made it, and where its text goes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
from click.core import ParameterSource

from maskdet.terminal.console import program_output, to_bytes


def command_line(
    leave_out: Collection[str] = (),
    always: Collection[str] = (),
    *,
    order: Sequence[str] = (),
    instead: Mapping[str, object] = MappingProxyType({}),
) -> str:
    """Return the running command as it was typed, without the folders of the machine it runs on.

    Args:
        leave_out: parameters that change no figure.
        always: parameters shown also where they were not typed.
        order: those shown, in this order; else all, as the help has them.
        instead: values to show for what was typed, as they are.
    """
    context = click.get_current_context()
    parameters = {str(parameter.name): parameter for parameter in context.command.params}
    words = ["maskdet", str(context.info_name)]
    for name in order or parameters:
        parameter = parameters[name]
        typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if name in leave_out or not (typed or name in always):
            continue
        value = instead.get(name, context.params[name])
        option = [] if isinstance(parameter, click.Argument) else [max(parameter.opts, key=len)]
        if isinstance(value, tuple) and not parameter.multiple:
            value = ",".join(map(str, value))
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(one, bool):
                words.append(max(parameter.opts if one else parameter.secondary_opts, key=len))
            else:
                words += [*option, str(one) if name in instead else _without_folder(str(one))]
    return shlex.join(words)


def _without_folder(text: str) -> str:
    name, equals, value = text.partition("=")
    return f"{name}={Path(value).name}" if equals else Path(text).name if "/" in text else text


def to_json(content: Any, indent: int = 1) -> str:
    """Return plain JSON types as a file's text."""
    return json.dumps(content, indent=indent, ensure_ascii=False) + "\n"


def write_text(text: str, target: str | None) -> None:
    """Write a text whole or not at all: to a file, to standard output where the target is ``-``, or nowhere.

    Raises:
        SourceError: the file cannot be written.
    """
    from maskdet.files.atomic import write_bytes

    if target == "-":
        output = program_output()
        output.write(text)
        output.flush()
    elif target is not None:
        write_bytes(Path(target), to_bytes(text))


def write_report(content: Any, target: str | None, beside: Path | None = None, *, indent: int = 2) -> None:
    """Write plain JSON types where ``--json`` says, and beside a report's pictures.

    Raises:
        SourceError: a file cannot be written.
    """
    from maskdet.files.atomic import write_bytes

    text = to_json(content, indent)
    write_text(text, target)
    if beside is not None:
        write_bytes(beside, text.encode())
