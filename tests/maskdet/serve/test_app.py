from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

from starlette.testclient import TestClient

from maskdet.schema import result_schema

Client = Callable[..., TestClient]


def test_it_is_alive_and_soon_ready(client: Client) -> None:
    server = client()
    assert server.get("/healthz").json() == {"status": "alive"}
    while (answer := server.get("/readyz")).status_code == 503:
        assert answer.json()["detail"] == "the model is being loaded"
        time.sleep(0.01)
    assert answer.json() == {"status": "ready"}
    assert (server.head("/readyz").status_code, server.head("/readyz").content) == (200, b"")


def test_the_page_and_its_headers(client: Client) -> None:
    answer = client().get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'self'; ")
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers


def test_no_page_where_none_is_wanted(client: Client) -> None:
    answer = client(page=False).get("/")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"title": "Not Found", "status": 404, "detail": "there is nothing at /"}


def test_the_schema_is_the_one_of_the_command(client: Client) -> None:
    assert client().get("/v1/schema").json() == result_schema()


def test_what_is_loaded(client: Client, tiny_classifier: Path) -> None:
    models = client().get("/v1/models").json()
    assert [(one["name"], one["task"]) for one in models["models"]] == [("fixed", "detect"), ("tiny", "classify")]
    assert models["models"][0]["sha256"] is None
    assert models["models"][1]["sha256"] == hashlib.sha256(tiny_classifier.read_bytes()).hexdigest()
    assert models["defaults"]["conf"] is None  # each model's own thresholds
    assert models["thresholds"] == {"detect": None, "compare": None, "chain": None}  # this one has none


def test_live_answers_the_newest_frame(client: Client, jpeg: bytes) -> None:
    with client().websocket_connect("ws://localhost:8000/v1/live?conf=0.5", subprotocols=["maskdet"]) as socket:
        assert socket.accepted_subprotocol == "maskdet"
        socket.send_bytes(jpeg)
        first = json.loads(socket.receive_text())
        socket.send_bytes(b"no picture")
        second = json.loads(socket.receive_text())
    assert first["image"] == {"path": None, "width": 64, "height": 32, "frame": 0}
    assert first["counts"]["with_mask"] == 1
    assert (second["status"], second["frame"]) == (400, 1)
