"""The option ``--close-ups``, the same for every command that detects."""

from __future__ import annotations

import click

#: Not given, it is None: as the model asks.
close_ups_option = click.option(
    "--close-ups/--no-close-ups",
    default=None,
    help="See each picture once more at a small input, for faces that fill it.  [default: as the model asks]",
)
