"""The option of every command that searches folders: nothing is passed over."""

from __future__ import annotations

import click

strict_option = click.option("--strict", is_flag=True, help="Take what is passed over for an error: exit with 2.")
