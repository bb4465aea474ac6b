"""No line of the README that was never run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import click
import pytest

from maskdet.cli import cli
from maskdet.cli.val_arguments import KEYS
from maskdet.detector.training.arguments import parse_arguments

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)


PAGES = sorted(
    path.relative_to(ROOT / "docs").as_posix()
    for where in ("*.md", "serve/*.md")
    for path in (ROOT / "docs").glob(where)
)


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
        assert (ROOT / "docs" / page).parent.joinpath(target).is_file(), target


@pytest.mark.parametrize("block", blocks("python"))
def test_python_blocks_run(block: str, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = subprocess.run([sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"schema": "maskdet/1"' in done.stdout
    assert (tmp_path / "maskdet-out" / "crew.jpg").is_file()


TEXTS = [TEXT, *((ROOT / "docs" / page).read_text(encoding="utf-8") for page in PAGES)]


def calls(lines: Iterable[str]) -> list[str]:
    """Return the single calls of ``maskdet`` and ``yolo`` on shell lines."""
    parts = [part.strip() for line in lines for part in re.split(r"&&|;| \| ", line.split("#")[0])]
    return [part for part in parts if part.startswith(("maskdet ", "yolo "))]


def commands() -> list[str]:
    """Return every call of the shell blocks of README and docs."""
    fences = [block for text in TEXTS for block in re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]
    return calls(line for block in fences for line in block.splitlines())


def with_arguments() -> list[str]:
    """Return every call that names ``key=value`` words, those in sentences too."""
    told = calls(call for text in TEXTS for call in re.findall(r"`((?:maskdet|yolo) [^`\n]+)`", text))
    takes = ("maskdet train ", "maskdet val ", "maskdet export ", "yolo ")
    return sorted({call for call in [*commands(), *told] if call.startswith(takes) and "=" in call})


def unknown_words(call: str) -> list[str]:
    """Return the ``key=value`` words whose key is none of the tool's, or whose value ultralytics refuses."""
    cfg = pytest.importorskip("ultralytics.cfg")
    from maskdet.detector.training.trainer import TrainOptions

    own = {
        "maskdet train": {field.name for field in fields(TrainOptions)},
        "maskdet export": {"close_ups", "calibration_photos"},
    }
    tool = " ".join(call.split()[:2]) if call.startswith("maskdet ") else "yolo"
    words = [word for word in shlex.split(call) if re.match(r"\w+=", word)]
    if tool == "maskdet val":
        return [word for word in words if word.partition("=")[0] not in KEYS]
    unknown = []
    for word in words:
        (key, value), *_ = parse_arguments([word]).items()
        try:
            if key not in own.get(tool, set()):
                cfg.get_cfg(cfg.DEFAULT_CFG_DICT, {key: value})
        except (SyntaxError, TypeError, ValueError):
            unknown.append(word)
    return unknown


@pytest.mark.parametrize("call", with_arguments())
def test_words_are_arguments_that_there_are(call: str) -> None:
    assert unknown_words(call) == []


@pytest.mark.parametrize(
    ("call", "unknown"),
    [
        ("maskdet train data=data.yaml epoch=3 close_up=0.3 lr0=0.01", ["epoch=3"]),
        ("yolo train data=data.yaml epochs=many close_up=0.3", ["epochs=many", "close_up=0.3"]),
        ("maskdet val data=data.yaml workers=2", ["workers=2"]),
    ],
)
def test_a_wrong_word_is_found(call: str, unknown: list[str]) -> None:
    assert unknown_words(call) == unknown


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("maskdet ")])
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


def test_the_readme_is_one_page() -> None:
    assert len(TEXT.splitlines()) <= 120


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
