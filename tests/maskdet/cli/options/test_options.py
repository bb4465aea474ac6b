"""Groups of options: what a command gets, and what its help shows."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, fields
from typing import Any

import click
import pytest
from click.testing import CliRunner

from maskdet.cli.options import option, options
from maskdet.cli.options.model import ModelOptions
from maskdet.cli.options.run import RunOptions


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Two options that are shown apart, one that takes several values, and one of this command's own."""

    steps: int = option("--steps", type=int, default=3, show_default=True, help="How many.")
    back: bool | None = option("--back/--no-back", default=None, help="Where to.")
    stops: tuple[str, ...] = option("--stop", multiple=True, help="Where to rest.")
    pace: float = option("--pace", type=float, default=1.0, help="Of the group.")


def walked(*typed: str) -> dict[str, Any]:
    """Return what a command gets for these words."""
    got: dict[str, Any] = {}

    @click.command()
    @click.argument("name")
    @options("steps", walk=Walk)
    @click.option("--loud", is_flag=True)
    @options("stops", "back", walk=Walk)
    @click.option("--pace", type=float, default=2.0, help="Of the command.")
    def go(**given: Any) -> None:
        got.update(given)

    go.main(list(typed), standalone_mode=False)
    return got


def test_a_command_gets_one_object_a_group() -> None:
    assert walked("a") == {"name": "a", "loud": False, "walk": Walk(pace=2.0)}
    assert walked("a", "--steps", "5", "--no-back", "--stop", "x", "--stop", "y", "--loud") == {
        "name": "a",
        "loud": True,
        "walk": Walk(steps=5, back=False, stops=("x", "y"), pace=2.0),
    }


def test_a_field_without_an_option_keeps_its_default() -> None:
    got: dict[str, Any] = {}

    @click.command()
    @options("stops", walk=Walk)
    def go(**given: Any) -> None:
        got.update(given)

    go.main(["--stop", "x"], standalone_mode=False)
    assert got == {"walk": Walk(steps=3, back=None, stops=("x",), pace=1.0)}
    with pytest.raises(click.NoSuchOption):
        go.main(["--steps", "5"], standalone_mode=False)


def test_the_help_is_in_the_order_of_the_fields_or_that_asked_for() -> None:
    @click.command()
    @options(walk=Walk)
    @options("quiet", "strict", run=RunOptions)
    def go(**_: Any) -> None: ...

    shown = CliRunner().invoke(go, ["--help"]).output
    places = [shown.index(name) for name in ("--steps", "--back", "--stop", "--pace", "--quiet", "--strict")]
    assert places == sorted(places)


@pytest.mark.parametrize("group", [ModelOptions, RunOptions])
def test_a_group_of_defaults_is_what_a_command_gets_for_nothing(group: type) -> None:
    got: dict[str, Any] = {}

    @click.command()
    @options(mine=group)
    def go(**given: Any) -> None:
        got.update(given)

    go.main([], standalone_mode=False)
    assert got == {"mine": group()}
    assert pickle.loads(pickle.dumps(got["mine"])) == group()
    assert all("option" in field.metadata for field in fields(group))
