"""The examples in docstrings are run, wherever they stand."""

from __future__ import annotations

import doctest
import importlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-dir"]

#: Folder -> the name that it is installed under.
FOLDERS = {ROOT / folder: name for name, folder in PACKAGES.items()}


def modules() -> Iterator[str]:
    """Return every module of the package, however deep, whose source holds an example; none is imported for that."""
    for folder, package in FOLDERS.items():
        for file in sorted(folder.rglob("*.py")):
            if ">>>" in file.read_text(encoding="utf-8"):
                parts = [package, *file.relative_to(folder).with_suffix("").parts]
                yield ".".join(part for part in parts if part != "__init__")


@pytest.mark.parametrize("name", list(modules()))
def test_examples_in_docstrings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
    assert result.attempted > 0


def test_no_folder_is_left_out() -> None:
    once_left_out = {"maskdet.sources.address", "maskdet.cli.start_up", "maskdet.benchmark.report"}
    assert once_left_out | {"maskdet", "maskdet.detector.inference.model"} <= set(modules())
