"""A server whose model is known: it finds one face, with a mask, in every picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("fastapi")

from starlette.testclient import TestClient

from maskdet.classifier.inference.model import MaskClassifier
from maskdet.serve.app import create_app
from maskdet.serve.engine import Engine
from maskdet.serve.options import Look
from maskdet.serve.settings import ServerSettings
from tests.conftest import SureOfMasks


def until(happened: Callable[[], bool]) -> None:
    """Wait for what must come."""
    for _ in range(20_000):
        if happened():
            return
        time.sleep(0.001)
    raise AssertionError("it did not come")


@pytest.fixture
def make_engine(tiny_classifier: Path) -> Callable[..., Engine]:
    """Return a function that makes an engine of any runtime, else of ``SureOfMasks``, both of whose answers count."""

    def make(runtime: object = None, **options: Any) -> Engine:
        options.setdefault("usual", Look(agnostic_nms=False))
        return Engine(runtime or SureOfMasks(), MaskClassifier(tiny_classifier), **options)  # type: ignore[arg-type]

    return make


@pytest.fixture
def client(make_engine: Callable[..., Engine]) -> Iterator[Callable[..., TestClient]]:
    """Return a function that starts a server in this process and gives its client."""
    with ExitStack() as stack:

        def start(engine: Engine | None = None, **settings: object) -> TestClient:
            app = create_app(engine or make_engine(), ServerSettings(**settings))  # type: ignore[arg-type]
            opened = TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False)
            return stack.enter_context(opened)

        yield start


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    """Return a picture of 64 × 32 pixels, which the model sees as it is."""
    return cv2.imencode(".jpg", np.full((32, 64, 3), 128, np.uint8))[1].tobytes()
