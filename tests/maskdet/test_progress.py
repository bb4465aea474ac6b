from __future__ import annotations

import io
import re
import sys

import pytest

from maskdet.progress import ProgressBar, track


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return terminal


def test_people_see_count_and_total(terminal: Terminal) -> None:
    assert list(track([1, 2, 3], label="read")) == [1, 2, 3]
    assert re.search(r"read .*3/3", terminal.getvalue())


def test_a_total_can_change_and_be_unknown(terminal: Terminal) -> None:
    with ProgressBar("detect", total=1) as bar:
        bar.total = 5
        bar.advance(2)
    assert "2/5" in terminal.getvalue()
    with ProgressBar("detect", total=1) as bar:
        bar.total = None
        bar.advance(2)
    assert "2/?" in terminal.getvalue()


def test_files_and_the_quiet_see_nothing(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track([1, 2], label="read", quiet=True)) == [1, 2]
    assert terminal.getvalue() == ""
    sys.stderr = io.StringIO()
    assert list(track([1, 2], label="read")) == [1, 2]
    assert sys.stderr.getvalue() == ""
