"""The ``maskdet`` command: its list of commands, each of whose code loads when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from maskdet.cli import DEBUG, EXIT_PIPE

#: Command name -> "module:function", one line of help. The help stands here so that ``maskdet --help`` imports nothing.
COMMANDS: dict[str, tuple[str, str]] = {
    "detect": ("maskdet.cli.detect:detect", "Find faces and say how each wears its mask."),
    "batch": ("maskdet.cli.batch:batch", "Find faces in a million pictures, in a run that is resumed."),
    "classify": ("maskdet.cli.classify:classify", "Say of face crops how each wears its mask."),
    "compare": ("maskdet.cli.compare:compare", "Show where detector and classifier disagree; score both."),
    "serve": ("maskdet.cli.serve:serve", "Answer over HTTP, with a page."),
    "convert": ("maskdet.cli.convert:convert", "Turn Pascal VOC XML into a YOLO data set, with an audit."),
    "data": ("maskdet.cli.data:data", "Check a data set, show, count and plot it; fetch the public one."),
    "train": ("maskdet.cli.train:train", "Train a detector: key=value arguments as in `yolo`."),
    "val": ("maskdet.cli.val:val", "Score a detector on a labelled data set."),
    "study": ("maskdet.cli.study:study", "Train and compare the crop study's networks, write the report."),
    "export": ("maskdet.cli.export:export", "Write trained weights as ONNX and check them against torch."),
    "benchmark": ("maskdet.cli.benchmark:benchmark", "Measure the speed on this machine, beside yolo."),
    "info": ("maskdet.cli.info:info", "Show versions, runtimes, and the shipped models."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported on first use, so that ``maskdet --help`` stays instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order they are meant to be read."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), function)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the words; empty ones are refused, whatever they would name."""
        if any(not word or word.endswith("=") for word in args):
            from maskdet.cli.hints import refuse_empty

            refuse_empty(args)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names.

        Raises:
            click.UsageError: there is none; with what was meant.
        """
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from maskdet.cli.hints import unknown_command

            ctx.fail(unknown_command(args[0], list(COMMANDS)))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader of standard output who has left ends it quietly, and so does Ctrl-C."""
        try:
            return super().invoke(ctx)
        except (EOFError, KeyboardInterrupt) as error:
            raise click.Abort from error  # as click does, which would print an empty line before
        except BrokenPipeError:  # click would exit with 1, which is what --fail-on says
            # What is still buffered would raise once more when the interpreter closes standard output.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(EXIT_PIPE)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command list from the table above, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from maskdet.version import __version__

        click.echo(f"maskdet {__version__}")
        ctx.exit()


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Version.")
@click.option(DEBUG, is_flag=True, expose_value=False, help="Show the traceback of an error, and write it to a file.")
def cli() -> None:
    """Find faces in pictures and say whether each wears its mask, not, or wrongly.

    \b
    maskdet detect photo.jpg            a table, and the picture with boxes
    maskdet convert VOC_DIR OUT         your annotations as a YOLO data set
    maskdet train data=OUT/data.yaml    your own detector
    """
