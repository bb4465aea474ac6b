from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import maskdet.datasets

MODULES = [module.name for module in pkgutil.iter_modules(maskdet.datasets.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"maskdet.datasets.{name}"))
    assert result.failed == 0


def test_there_are_examples() -> None:
    modules = (importlib.import_module(f"maskdet.datasets.{name}") for name in MODULES)
    assert sum(doctest.testmod(module).attempted for module in modules) >= 8
