from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from maskdet.errors import SourceError
from maskdet.sources import Picture, memory, pictures


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_standard_input(monkeypatch: pytest.MonkeyPatch, astronaut: Path) -> None:
    feed(monkeypatch, astronaut.read_bytes())
    (picture,) = pictures("-")
    assert isinstance(picture, Picture)
    assert (picture.info.path, picture.info.width, picture.info.height) == ("-", 512, 512)


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "standard input is empty"), (b"text", "not a picture"), (bytes(99), "more than 0 MB")]
)
def test_standard_input_without_a_picture(monkeypatch: pytest.MonkeyPatch, data: bytes, reason: str) -> None:
    monkeypatch.setattr(memory, "MAX_BYTES", 50)
    feed(monkeypatch, data)
    (error,) = pictures("-")
    assert isinstance(error, SourceError)
    assert str(error).startswith(f"-: {reason}")
