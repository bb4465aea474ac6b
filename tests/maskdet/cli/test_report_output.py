from __future__ import annotations

import click
import pytest

from maskdet.cli.options import options
from maskdet.cli.options.model import ModelOptions
from maskdet.cli.report_output import command_line


@pytest.mark.parametrize(
    "typed",
    [
        ["a b.jpg"],
        ["--close-ups", "a.jpg"],
        ["--no-close-ups", "--augment", "a.jpg"],
        ["--imgsz", "320", "a.jpg"],
    ],
)
def test_a_command_is_told_as_it_was_typed(typed: list[str]) -> None:
    told = []

    @click.command()
    @click.argument("sources", nargs=-1)
    @click.option("--imgsz", type=int)
    @options("close_ups", "augment", model=ModelOptions)
    def look(**_: object) -> None:
        told.append(command_line(set(), set()))

    look.main(typed, prog_name="look", standalone_mode=False)
    words = ["'a b.jpg'" if word == "a b.jpg" else word for word in typed]
    assert sorted(told[0].removeprefix("maskdet look ").split(" ")) == sorted(" ".join(words).split(" "))
