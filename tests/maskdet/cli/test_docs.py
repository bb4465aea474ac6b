"""``docs/cli.md`` is what the commands say of themselves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOOL = ROOT / "tools" / "write_cli_docs.py"
PAGE = ROOT / "docs" / "cli.md"


def test_the_page_is_up_to_date_whatever_the_terminal() -> None:
    environment = {**os.environ, "COLUMNS": "40", "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    done = subprocess.run(
        [sys.executable, str(TOOL), "--check"], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr


def test_every_command_has_a_page_that_fits() -> None:
    from maskdet.cli import COMMANDS

    text = PAGE.read_text(encoding="utf-8")
    titles = re.findall(r"^#+ (maskdet.*)$", text, flags=re.MULTILINE)
    assert set(titles) > {"maskdet", "maskdet data check", *(f"maskdet {name}" for name in COMMANDS)}
    assert len(titles) == len(set(titles))
    for block in re.findall(r"```text\n(.*?)```", text, flags=re.DOTALL):
        assert block.startswith("Usage: maskdet")


def test_the_check_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import runpy

    tool = runpy.run_path(str(TOOL))
    (tmp_path / "cli.md").write_text("old")
    monkeypatch.setitem(tool["main"].__globals__, "PAGE", tmp_path / "cli.md")
    monkeypatch.setitem(tool["main"].__globals__, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["write_cli_docs.py", "--check"])
    with pytest.raises(SystemExit, match=r"cli\.md is out of date: run python tools/write_cli_docs\.py"):
        tool["main"]()
    monkeypatch.setattr(sys, "argv", ["write_cli_docs.py"])
    tool["main"]()
    assert (tmp_path / "cli.md").read_text() == PAGE.read_text()
