"""The examples in docstrings are run, wherever they stand."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: Needs torch and ultralytics to be imported at all; it has no examples.
HEAVY = {"maskdet.detector.trainer"}

PACKAGES = ("alerts.", "chain.", "conversions.", "tracking.", "detector.", "datasets.", "classifier.", "writers.")


def modules() -> Iterator[str]:
    """Return every module of the package whose source holds an example."""
    yield "maskdet"
    for package in ("", *PACKAGES):
        home = importlib.import_module(f"maskdet.{package}".rstrip("."))
        for module in pkgutil.iter_modules(home.__path__):
            name = f"maskdet.{package}{module.name}"
            if name not in HEAVY and not module.ispkg:
                source = Path(str(importlib.util.find_spec(name).origin))  # type: ignore[union-attr]
                if ">>>" in source.read_text(encoding="utf-8"):
                    yield name


@pytest.mark.parametrize("name", list(modules()))
def test_examples_in_docstrings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
    assert result.attempted > 0
