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


PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_of_the_docs_run(page: str, tmp_path: Path) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for block in re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{block}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES)
def test_links_of_the_docs_lead_somewhere(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (ROOT / "docs" / target).is_file(), target


@pytest.mark.parametrize("block", blocks("python"))
def test_python_blocks_run(block: str, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"schema": "maskdet/1"' in done.stdout
    assert (tmp_path / "maskdet-out" / "crew.jpg").is_file()


def commands() -> list[str]:
    """Return every ``maskdet`` call of the README's shell blocks."""
    texts = [TEXT, *((ROOT / "docs" / page).read_text(encoding="utf-8") for page in PAGES)]
    fences = [block for text in texts for block in re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]
    lines = [line for block in fences for line in block.splitlines()]
    parts = [part.strip() for line in lines for part in re.split(r"&&|;| \| ", line.split("#")[0])]
    return [part for part in parts if part.startswith("maskdet ")]


@pytest.mark.parametrize("line", commands())
def test_commands_parse(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    # With the settings of the real command line: click keeps the help option that it makes first.
    context = click.Context(cli, info_name="maskdet", **cli.context_settings)
    command = cli.get_command(context, name)
    assert command is not None
    if isinstance(command, click.Group):
        context = click.Context(command, parent=context)
        command = command.get_command(context, arguments.pop(0))
        assert command is not None
    command.make_context(name, arguments, parent=context)


def test_first_command_works(tmp_path: Path) -> None:
    line = next(line for line in commands() if line == "maskdet detect examples/crew.jpg")
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
