from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import maskdet.classifier

MODULES = [module.name for module in pkgutil.iter_modules(maskdet.classifier.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name: str) -> None:
    if name in {"transfer_net", "backbone_weights"}:
        pytest.importorskip("torchvision")
    assert doctest.testmod(importlib.import_module(f"maskdet.classifier.{name}")).failed == 0
