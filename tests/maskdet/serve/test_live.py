from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from maskdet.serve import live
from maskdet.serve.engine import Engine
from tests.maskdet.serve.test_engine import Gated, until

Client = Callable[..., TestClient]
ADDRESS = "ws://localhost:8000/v1/live"


def test_of_frames_that_wait_the_newest_wins(client: Client, make_engine: Callable[..., Engine], jpeg: bytes) -> None:
    gated = Gated()
    gated.open.set()
    engine = make_engine(gated)
    server = client(engine)
    until(lambda: engine.ready)
    gated.open.clear()
    with server.websocket_connect(ADDRESS) as socket:
        socket.send_bytes(jpeg)
        until(lambda: engine.load[1] == 1)
        for _ in range(4):
            socket.send_bytes(jpeg)
        socket.send_text("not a frame")
        threading.Event().wait(0.2)  # they are all there
        gated.open.set()
        assert [socket.receive_json()["image"]["frame"] for _ in range(2)] == [0, 4]


def test_people_are_followed_over_frames(client: Client, jpeg: bytes) -> None:
    pytest.importorskip("trackers")
    with client().websocket_connect(f"{ADDRESS}?track=true") as socket:
        for _ in range(3):
            socket.send_bytes(jpeg)
            found = socket.receive_json()
    assert found["detections"][0]["track_id"] == 1
    assert found["people"] == {
        "people": 1,
        "counts": {"with_mask": 1, "without_mask": 0, "mask_weared_incorrect": 0},
        "compliance": 1.0,
    }


@pytest.mark.parametrize(
    ("query", "reason"), [("conf=2", "conf: input should be less than or equal to 1"), ("url=a", "url: no such option")]
)
def test_a_bad_query_is_told_in_the_close(client: Client, query: str, reason: str) -> None:
    with client().websocket_connect(f"{ADDRESS}?{query}") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    assert (closed.value.code, closed.value.reason) == (1008, reason)


def test_there_is_room_for_so_many(client: Client, monkeypatch: pytest.MonkeyPatch, jpeg: bytes) -> None:
    monkeypatch.setattr(live, "MOST_CLIENTS", 1)
    server = client()
    with server.websocket_connect(ADDRESS) as first:
        first.send_bytes(jpeg)
        first.receive_text()
        with server.websocket_connect(ADDRESS) as second, pytest.raises(WebSocketDisconnect) as closed:
            second.receive_text()
    assert closed.value.code == 1013
    until(lambda: not _refused(server, jpeg))


def _refused(server: TestClient, jpeg: bytes) -> bool:
    try:
        with server.websocket_connect(ADDRESS) as socket:
            socket.send_bytes(jpeg)
            return "maskdet/1" not in socket.receive_text()
    except WebSocketDisconnect:
        return True
