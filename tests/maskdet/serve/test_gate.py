from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from starlette.datastructures import Headers
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from maskdet.serve.gate import Hosts, Pace, key_of

Client = Callable[..., TestClient]
KEY = "näh and 256 bits"


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


def test_a_key_comes_in_four_ways() -> None:
    packed = base64.urlsafe_b64encode(KEY.encode()).decode().rstrip("=")
    for headers in (
        {"authorization": "bearer plain"},
        {"authorization": basic("plain")},
        {"x-api-key": "plain"},
        {"sec-websocket-protocol": "maskdet, maskdet.key.cGxhaW4"},
    ):
        assert key_of(Headers(headers)) == "plain"
    assert key_of(Headers({"sec-websocket-protocol": f"maskdet.key.{packed}"})) == KEY
    assert key_of(Headers({"authorization": "Basic !"})) == ""
    assert key_of(Headers({})) is None


def test_nothing_is_answered_without_the_key_but_what_says_nothing(client: Client, jpeg: bytes) -> None:
    server = client(keys=("right", "other"))
    for path in ("/healthz", "/", "/openapi.json", "/docs"):
        assert server.get(path).status_code == 200, path
    for path in ("/v1/models", "/v1/streams", "/v1/streams/door.mjpg", "/metrics", "/api/v1/anything", "/predict"):
        answer = server.get(path)
        assert (answer.status_code, answer.json()["status"]) == (401, 401), path
        assert "Bearer" in answer.headers["www-authenticate"]
    for headers, status in (
        ({"X-API-Key": "wrong"}, 401),
        ({"Authorization": "Bearer other"}, 200),
        ({"Authorization": basic("right")}, 200),
        ({"Authorization": basic("right")[:-2]}, 401),
    ):
        assert server.get("/v1/models", headers=headers).status_code == status
    with pytest.raises(WebSocketDisconnect) as refused, server.websocket_connect("ws://localhost:8000/v1/live"):
        pass
    assert refused.value.code == 1008
    with server.websocket_connect(
        "ws://localhost:8000/v1/live", subprotocols=["maskdet", "maskdet.key.cmlnaHQ"]
    ) as socket:
        socket.send_bytes(jpeg)
        assert socket.receive_json()["image"]["frame"] == 0


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("localhost:8000", True),
        ("127.0.0.1", True),
        ("[::1]:8000", True),
        ("192.168.1.5:8000", True),
        ("studio.example", True),
        ("STUDIO.example.:80", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example:80", False),
        ("localhost:8000@evil.example", False),
        ("", False),
        ("a b", False),
    ],
)
def test_names_that_lead_here(host: str, known: bool) -> None:
    assert Hosts(["studio.example"]).known(host) is known


def test_another_name_is_refused_whatever_is_asked(client: Client) -> None:
    server = client()
    for path in ("/", "/healthz", "/v1/models"):
        answer = server.get(path, headers={"Host": "rebound.example"})
        assert (answer.status_code, answer.headers["content-type"]) == (421, "application/problem+json")
    with pytest.raises(WebSocketDisconnect), server.websocket_connect("ws://rebound.example/v1/live"):
        pass


def test_pages_of_strangers_may_not_call(client: Client, jpeg: bytes) -> None:
    server = client(origins=("https://ours.example",))
    sent = {"content": jpeg}
    for origin, status in (
        (None, 200),
        ("http://localhost:8000", 200),
        ("https://ours.example", 200),
        ("https://evil.example", 403),
        ("null", 403),
    ):
        headers = {"Content-Type": "image/jpeg"} | ({} if origin is None else {"Origin": origin})
        answer = server.post("/v1/detect", headers=headers, **sent)  # type: ignore[arg-type]
        assert answer.status_code == status, origin
        allowed = answer.headers.get("access-control-allow-origin")
        assert allowed == ("https://ours.example" if origin == "https://ours.example" else None)
    crossing = {"Content-Type": "image/jpeg", "Sec-Fetch-Site": "cross-site"}
    assert server.post("/v1/detect", headers=crossing, **sent).status_code == 403  # type: ignore[arg-type]
    with (
        pytest.raises(WebSocketDisconnect),
        server.websocket_connect("ws://localhost:8000/v1/live", headers={"Origin": "https://evil.example"}),
    ):
        pass


def test_no_page_is_allowed_where_none_is_named(client: Client) -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    answer = client().options("/v1/detect", headers=asked)
    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


def test_an_address_and_headers_have_a_size(client: Client) -> None:
    server = client()
    assert server.get("/v1/models?" + "a" * 4000).status_code == 200
    long = server.get("/v1/models?" + "a" * 8200)
    assert (long.status_code, long.json()["detail"]) == (414, "the address is longer than 8,192 bytes")
    wide = server.get("/v1/models", headers={"X-A": "a" * 17_000})
    assert (wide.status_code, wide.json()["detail"]) == (431, "the headers are longer than 16,384 bytes")


def test_a_pace_is_kept_by_each_address() -> None:
    now = [0.0]
    pace = Pace(2, clock=lambda: now[0])
    assert [pace.wait("a") for _ in range(3)] == [0, 0, 0.5]
    assert pace.wait("b") == 0
    now[0] = 0.5
    assert [pace.wait("a"), pace.wait("a")] == [0, 0.5]
    now[0] = 100.0  # no more is saved up than one second's
    assert [pace.wait("a") > 0 for _ in range(3)] == [False, False, True]


def test_who_is_too_fast_hears_when_to_come_again(client: Client) -> None:
    server = client(rate=1.0)
    assert server.get("/v1/models").status_code == 200
    answer = server.get("/v1/models")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert server.get("/healthz").status_code == 200
