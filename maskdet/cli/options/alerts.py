"""The options of ``maskdet detect`` about alerts, and the monitor they describe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from maskdet.terminal.console import say

if TYPE_CHECKING:
    from maskdet.alerts.actions import Action
    from maskdet.alerts.monitor import AlertMonitor

F = TypeVar("F", bound=Callable[..., Any])


def alert_options(command: F) -> F:
    """Add ``--alert``, ``--alert-cooldown``, ``--alert-run`` and ``--alert-post``."""
    for option in (
        click.option("--alert-post", metavar="URL", help="Post each alert to this address as JSON."),
        click.option("--alert-run", metavar="COMMAND", help="Run this (no shell) with each alert's JSON on its stdin."),
        click.option(
            "--alert-cooldown",
            type=click.FloatRange(min=0),
            default=60,
            show_default=True,
            metavar="SECONDS",
            help="A rule that was told stays silent for so long.",
        ),
        click.option(
            "--alert",
            "alert_rules",
            multiple=True,
            metavar="RULE",
            help="Tell when a picture's figures pass a limit: 'without_mask>=3', 'faces>50', 'compliance<0.8'. "
            "On standard error, or by --alert-run and --alert-post.",
        ),
    ):
        command = option(command)
    return command


def open_alerts(
    rules: tuple[str, ...], *, cooldown: float, command: str | None, url: str | None, names: Sequence[str]
) -> AlertMonitor | None:
    """Return the monitor that the options describe, None without a rule.

    Raises:
        click.UsageError: a rule, command or address that is none, or an action without a rule.
    """
    if not rules:
        if command is not None or url is not None:
            raise click.UsageError("--alert-run and --alert-post need a rule: --alert 'without_mask>=3'")
        return None
    from maskdet.alerts.actions import PostJson, RunCommand
    from maskdet.alerts.monitor import AlertMonitor
    from maskdet.alerts.rules import parse_rule

    actions: list[Action] = []
    option = "--alert"
    try:
        parsed = [parse_rule(rule, names) for rule in rules]
        option = "--alert-run"
        if command is not None:
            actions.append(RunCommand(command))
        option = "--alert-post"
        if url is not None:
            actions.append(PostJson(url))
    except ValueError as error:
        raise click.UsageError(f"{option}: {error}") from error
    return AlertMonitor(parsed, actions, say, cooldown=cooldown)
