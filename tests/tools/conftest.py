from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parent.parent.parent / "tools"


@pytest.fixture
def tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the tool that the test's file is named after."""
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module(request.path.stem.removeprefix("test_"))
