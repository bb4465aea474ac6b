"""No line of the README that was never run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from maskdet.cli import cli

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks("python"))
def test_python_blocks_run(block: str, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"schema": "maskdet/1"' in done.stdout
    assert (tmp_path / "maskdet-out" / "crew.jpg").is_file()


def commands() -> list[str]:
    """Return every ``maskdet`` call of the README's shell blocks."""
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    return [part.strip() for line in lines for part in line.split("#")[0].split("&&") if "maskdet " in part[:9]]


@pytest.mark.parametrize("line", commands())
def test_commands_parse(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    if isinstance(command, click.Group):
        command = command.get_command(click.Context(command), arguments.pop(0))
        assert command is not None
    command.make_context(name, arguments)


def test_first_command_works(tmp_path: Path) -> None:
    (line,) = [line for line in commands() if line == "maskdet detect examples/crew.jpg"]
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    tool = Path(sys.executable).with_name("maskdet")
    done = subprocess.run([tool, *shlex.split(line)[1:]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "with_mask" in done.stdout
    assert (tmp_path / "maskdet-out" / "crew.jpg").is_file()


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (ROOT / target).is_file(), target


def test_figures_are_those_of_the_committed_reports() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "update_readme.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
