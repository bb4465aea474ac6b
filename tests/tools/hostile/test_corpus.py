"""Some 1,500 hostile inputs over every reader: nothing breaks, hangs, fills the memory or runs what it reads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hostile import cases, grammars, seeds, watch, worker

COUNT = 1500


def test_nothing_from_outside_breaks_it() -> None:
    """The counts of ``benchmarks/hostile.py``, all zero; a fault names the case to run again with ``--case``."""
    summary = watch.watch(cases.plan(COUNT), workers=2)
    assert summary.faults == [], "\n".join(f"{case}: {fault}" for case, fault in summary.faults)
    assert summary.ran >= COUNT * 0.98
    # It is a corpus of both: what is refused, and what is read all the same.
    assert set(summary.codes) <= {"0", "1", "2"}
    assert min(summary.codes["0"], summary.codes["2"]) > COUNT / 20


def test_every_reader_has_its_share() -> None:
    planned = Counter(reader for reader, _ in cases.plan(COUNT))
    assert sum(planned.values()) == pytest.approx(COUNT, abs=len(planned))
    missing = cases.READERS.keys() - planned.keys()
    assert missing <= {"onnx", "checkpoint"}
    assert not (missing and seeds.has("onnx") and seeds.has("torch") and seeds.has("ultralytics"))


@pytest.mark.parametrize("reader", sorted(cases.READERS.keys() - {"onnx", "checkpoint"}))
def test_a_number_gives_the_same_input_again(reader: str, tmp_path: Path) -> None:
    made = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        commands = cases.build(reader, 3, folder)
        files = {
            str(path.relative_to(folder)): path.read_bytes().replace(str(folder).encode(), b"")
            for path in folder.rglob("*")
            if path.is_file() and not path.is_symlink()
        }
        made.append(([[word.replace(str(folder), "") for word in words] for words in commands], files))
    assert made[0] == made[1]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs commands as a worker does, with ``function`` in the place of the command line."""

    def call(function: Any) -> list[str]:
        folder = tmp_path / "case"
        folder.mkdir()
        (folder / "in.png").write_bytes(b"picture")
        monkeypatch.setitem(worker.FUNCTIONS, "@test", function)
        monkeypatch.chdir(tmp_path)
        # pytest's own stand-ins do not write to these descriptors.
        for number, name in enumerate(("stdout", "stderr"), 1):
            monkeypatch.setattr(sys, name, os.fdopen(number, "w", closefd=False))
        faults: list[str] = worker._run(folder, [["@test", "in.png"]])["faults"]
        return faults

    return call


def breaks(path: Path) -> int:
    raise KeyError("names")


def says_two_lines(path: Path) -> int:
    print("error: a.png: damaged\nbecause of\nthis", file=sys.stderr)
    return 2


def says_nothing(path: Path) -> int:
    return 2


def goes_on(path: Path) -> int:
    print("error: a.png: damaged", file=sys.stderr)
    return 0


def steers_the_terminal(path: Path) -> int:
    print("error: \x1b[2J.png: damaged", file=sys.stderr)
    return 2


def prints_from_c(path: Path) -> int:
    os.write(2, b"libpng error\n")
    return 0


def runs_what_it_reads(path: Path) -> int:
    subprocess.run(grammars.commands(Path.cwd()), shell=True, check=True)
    return 0


def overwrites(path: Path) -> int:
    path.write_bytes(b"boxes")
    return 0


def leaves_half(path: Path) -> int:
    Path("out.json").write_text('{"faces": [')
    return 0


def leaves_hidden(path: Path) -> int:
    Path(".out.png.1234").touch()
    return 0


def is_unexpected(path: Path) -> int:
    print("error: unexpected error", file=sys.stderr)
    return 70


def is_right(path: Path) -> int:
    print("error: in.png: damaged", file=sys.stderr)
    Path("out.jsonl").write_text("{}\n{}\n")
    return 2


@pytest.mark.parametrize(
    ("function", "kinds"),
    [
        (breaks, ["traceback", "exit code"]),
        (says_two_lines, ["not one line"]),
        (says_nothing, ["exit code"]),
        (goes_on, ["exit code"]),
        (steers_the_terminal, ["not one line"]),
        (prints_from_c, ["not one line"]),
        (runs_what_it_reads, ["foreign code"]),
        (overwrites, ["input changed"]),
        (leaves_half, ["half file"]),
        (leaves_hidden, ["half file"]),
        (is_unexpected, ["exit code"]),
        (is_right, []),
    ],
)
def test_each_fault_is_seen(run: Any, function: Any, kinds: list[str]) -> None:
    faults = run(function)
    assert [fault.partition(":")[0] for fault in faults] == kinds
    assert set(kinds) <= set(watch.KINDS)


def test_what_ends_or_holds_a_process_is_known_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of another make: its second case kills it, its third never ends, and the fourth still has its turn."""
    package = tmp_path / "hostile"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "worker.py").write_text(
        "import json, os, sys, time\n"
        "for line in sys.stdin.read().split('\\n'):\n"
        "    print(json.dumps({'start': line}), flush=True)\n"
        "    if line == 'voc 1': os.kill(os.getpid(), 9)\n"
        "    if line == 'voc 2': time.sleep(60)\n"
        "    print(json.dumps({'done': line, 'code': 0, 'seconds': 0.1, 'faults': []}), flush=True)\n"
    )
    monkeypatch.setattr(watch, "TOOLS", tmp_path)
    summary = watch.watch([("voc", number) for number in range(5)], workers=1, seconds=2)
    assert [(case, fault.strip()) for case, fault in summary.faults] == [
        ("voc 1", "signal: SIGKILL"),
        ("voc 2", "hang: more than 2 s"),
    ]
    assert summary.ran == 5
    assert "signal 1 · traceback 0 · hang 1 · memory 0" in summary.line()
