from __future__ import annotations

import io
import re
import sys

import pytest

from maskdet.terminal.progress import ProgressBar, track


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def watch(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make standard error a terminal; called in the test itself, because pytest sets its own between the phases."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return terminal


def test_people_see_count_and_total(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watch(monkeypatch)
    assert list(track([1, 2, 3], label="read")) == [1, 2, 3]
    assert re.search(r"read .*3/3", terminal.getvalue())


def test_a_total_can_change_and_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watch(monkeypatch)
    with ProgressBar("detect", total=1) as bar:
        bar.total = 5
        bar.advance(2)
    assert "2/5" in terminal.getvalue()
    with ProgressBar("detect", total=1) as bar:
        bar.total = None
        bar.advance(2)
    assert "2/?" in terminal.getvalue()


def test_files_and_the_quiet_see_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = watch(monkeypatch)
    assert list(track([1, 2], label="read", quiet=True)) == [1, 2]
    assert terminal.getvalue() == ""
    file = io.StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    assert list(track([1, 2], label="read")) == [1, 2]
    assert file.getvalue() == ""
