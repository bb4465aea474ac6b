from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

import pytest

from maskdet.benchmark.report import PACKAGES, processor_name, this_machine
from maskdet.version import __version__


def test_this_machine() -> None:
    machine = this_machine()
    assert machine.python == platform.python_version()
    assert 1 <= machine.cores <= (os.cpu_count() or 1)
    assert list(machine.packages) == list(PACKAGES)
    assert machine.packages["maskdet"] == __version__
    assert machine.packages["onnxruntime"]
    assert json.loads(json.dumps(asdict(machine)))["processor"] == machine.processor
    assert machine.title.startswith(machine.processor + ", ")


def test_the_processor_names_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = tmp_path / "cpuinfo"
    listed.write_text("processor\t: 0\nmodel\t\t: 1\nmodel name\t: Fast   Chip 9\n\nmodel name\t: Other\n")
    assert processor_name(listed) == "Fast Chip 9"
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert processor_name(tmp_path / "missing") == "riscv64"


def test_a_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskdet.benchmark.report.PACKAGES", ("no-such-package",))
    assert this_machine().packages == {"no-such-package": None}
