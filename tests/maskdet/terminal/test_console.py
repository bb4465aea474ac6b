"""Whatever a name holds, it makes one line of plain text for people, and stays itself for programs."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from maskdet.cli import main
from maskdet.printable import printable
from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo
from maskdet.terminal.console import cell, console, say
from maskdet.writers.tables import print_clips, print_results
from maskdet.writers.tally import ClipTally

MODEL = ModelInfo("maskdet-n", 640, 0.25)
BARE = Face("without_mask", 1, 0.8, (1.0, 2.0, 1003.0, 1004.0))

#: Colour, title of the window, backspace, line break, another direction of writing, half a pair, a byte of no UTF-8.
EVIL = "e\x1b[31m\x1b]0;t\x07\b\n\u202e\ud800\udcff\x9b[bold]"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return a function that runs a command in an empty folder and gives (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*args: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(arg) for arg in args])
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capsys.readouterr()

    return call


@given(st.text())
def test_no_text_keeps_a_control_character(text: str) -> None:
    shown = printable(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    assert printable(shown) == shown


def test_names_stay_one_plain_line_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    shown = r"e\x1b[31m\x1b]0;t\x07\x08\n\u202e\ud800\xff\x9b[bold]"
    say(f"error: {EVIL}")
    assert capsys.readouterr().err == f"error: {shown}\n"
    console().print(cell(EVIL))
    assert capsys.readouterr().out == f"{shown}\n"
    # What nobody passed through ``cell`` does no harm either.
    console().print(EVIL.replace("[bold]", ""), markup=False)
    assert "\x1b" not in capsys.readouterr().out
    pictures = [MaskResult([BARE], ImageInfo(path, 9, 9), MODEL, 2.0) for path in (EVIL, "b")]
    print_results(pictures)
    print_results(pictures[:1])
    print_clips([ClipTally(EVIL, frames=1)])
    out = capsys.readouterr().out
    assert out.count(shown) == 3
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="such names need a POSIX file system of bytes")
def test_names_on_the_command_line(run: Run, astronaut: Path, tmp_path: Path) -> None:
    name = "e\x1b[31mred\n.jpg"
    shutil.copy(astronaut, tmp_path / name)
    shutil.copy(astronaut, tmp_path / "b.jpg")
    code, out, err = run("detect", ".", "no\x1b]0;title\x07pe.jpg", "--no-save", "--imgsz", "64")
    assert code == 2
    assert err == "error: no\\x1b]0;title\\x07pe.jpg: no such file or folder\n"
    assert r"e\x1b[31mred\n.jpg" in out
    assert "\x1b" not in out
    _, out, _ = run("detect", ".", "--json", "-", "--imgsz", "64")
    assert {json.loads(line)["image"]["path"] for line in out.splitlines()} == {name, "b.jpg"}
    code, _, err = run("detect", "b.jpg", "--fail-on", "\x1b[31m\nclass")
    assert (code, "\x1b" in err) == (2, False)
    assert r"\x1b[31m\nclass" in err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-16"])
@pytest.mark.parametrize("form", ["--json", "--csv", "--coco"])
def test_what_programs_read_is_utf8(
    run: Run, astronaut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, form: str
) -> None:
    name = "é写.jpg"
    shutil.copy(astronaut, tmp_path / name)
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    with pytest.raises(SystemExit):
        main(["detect", name, form, "-", "--imgsz", "64", "--conf", "0.01"])
    sys.stdout.flush()
    with pytest.raises(SystemExit):
        main(["detect", name, form, "file.json", "--imgsz", "64", "--conf", "0.01", "--quiet"])
    written, piped = (tmp_path / "file.json").read_bytes(), raw.getvalue()
    times = re.compile(rb'"time_ms":\s*[0-9.]+')
    assert times.sub(b"", piped) == times.sub(b"", written)
    assert "é写" in piped.decode()
    if form == "--json":
        assert json.loads(piped)["image"]["path"] == name


LONG = ["photos/entrance-north.jpg", "photos/" + "x" * 300 + ".jpg", "写真/" + "顔" * 60 + ".jpg"]


@pytest.mark.parametrize("columns", [40, 60, 80, 160])
@pytest.mark.parametrize("clips", [False, True])
def test_tables_fit_the_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int, clips: bool
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    if clips:
        print_clips([ClipTally(path, frames=12345, time_ms=1e6) for path in LONG])
    else:
        print_results([MaskResult([BARE], ImageInfo(path, 9, 9), MODEL, 1234.0) for path in LONG])
    lines = [line for line in capsys.readouterr().out.splitlines() if set(line) & set("│┃┏┡└")]
    assert max(map(cell_len, lines)) <= columns
    if columns >= 80:
        assert any(LONG[0] in line for line in lines)
    # No letter of a name is lost.
    names = "".join(line.split("│")[1].strip() for line in lines if line.startswith("│"))
    assert all(path in names for path in LONG)


def test_the_classes_have_their_full_names_where_there_is_room(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for columns, full in ((80, False), (160, True)):
        monkeypatch.setenv("COLUMNS", str(columns))
        print_results([MaskResult([BARE], ImageInfo(LONG[0], 9, 9), MODEL, 1234.0)] * 2)
        table, _, _ = capsys.readouterr().out.rpartition("└")
        assert ("mask_weared_incorrect" in table) is full


def test_one_picture_fits_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    print_results([MaskResult([BARE], ImageInfo(LONG[1], 9, 9), MODEL, 1234.0)])
    assert max(map(cell_len, capsys.readouterr().out.splitlines()[:-2])) <= 60
