"""Some of the requests of ``benchmarks/hostile.py --server``: nothing breaks, hangs or fills the memory."""

from __future__ import annotations

import json
import sys

import pytest
from hostile import server

pytest.importorskip("fastapi")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the memory of a process is read from /proc")
def test_nothing_that_is_sent_breaks_it() -> None:
    with server.serving("--dialect", "deepstack,compreface,label-studio", "--metrics", "--queue", "100") as (
        port,
        process,
    ):
        server.attack(
            port, process, count=11, idle=0
        )  # what it holds once it has worked, without waiting for slow ones
        found = server.attack(port, process, count=6 * len(server.CASES), idle=100, workers=48)
    assert found.faults == []
    assert (found.sent, found.idle_sockets) == (6 * len(server.CASES), 100)
    assert {"200", "400", "413", "415", "421", "422"} <= set(found.codes)
    assert found.health
    assert found.memory_after < 1.5 * found.memory_before


@pytest.mark.parametrize("kind", server.CASES)
def test_a_number_gives_the_same_request_again(kind: str) -> None:
    first, second = (server.CASES[kind](server.Random(f"{kind} 3")) for _ in range(2))
    assert first == second
    assert any(data for data, _ in first)


def test_a_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "send", lambda _port, case: ("500", 0.1) if case == "bytes 0" else ("200", 21.0))
    monkeypatch.setattr(server, "memory", lambda _process: 1)
    monkeypatch.setattr(server, "_ASK", "print('none')")
    found = server.attack(0, 0, count=2, idle=0)
    assert found.faults == ["bytes 0: 500 after 0.1 s", "mutated 0: 200 after 21.0 s", "/healthz did not answer"]
    assert "3 faults" in found.line()
    assert json.dumps(found.codes) == '{"500": 1, "200": 1}'
