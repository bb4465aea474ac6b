"""docs/trust.md names limits: each is what the code has."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")

#: Unit as the page writes it -> what one of it is in the code.
UNITS = {"": 1, "s": 1, "levels": 1, "MB": 10**6, "MiB": 2**20, "megapixels": 10**6}

ROW = r"^\| ([^|]+) \| ([\d,.]+) ?(\w*) \| `([\w.]+)(\(\))?` \|$"
ROWS = re.findall(ROW, PAGE, re.MULTILINE)


def test_the_table_is_read() -> None:
    assert len(ROWS) >= 12
    assert len(ROWS) == PAGE.count("| `maskdet.")


@pytest.mark.parametrize(("what", "most", "unit", "name", "call"), ROWS)
def test_a_limit_is_the_codes(
    what: str, most: str, unit: str, name: str, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MASKDET_MAX_MEGAPIXELS", raising=False)
    module, _, constant = name.rpartition(".")
    value = getattr(importlib.import_module(module), constant)
    assert (value() if call else value) == float(most.replace(",", "")) * UNITS[unit], what


def test_the_variable_moves_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    found = re.search(r"`MASKDET_MAX_MEGAPIXELS=(\d+)`", PAGE)
    assert found is not None
    monkeypatch.setenv("MASKDET_MAX_MEGAPIXELS", found[1])
    from maskdet.imaging.limits import max_pixels

    assert max_pixels() == int(found[1]) * 10**6


def test_readers_find_the_page() -> None:
    assert "(docs/trust.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "(docs/trust.md)" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "(../SECURITY.md)" in PAGE
