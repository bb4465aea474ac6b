from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pytest
from starlette.testclient import TestClient

from maskdet.results import ImageInfo
from maskdet.serve.engine import Engine
from maskdet.serve.options import Look
from maskdet.serve.problems import ProblemError
from tests.conftest import SureOfMasks
from tests.maskdet.serve.conftest import until

JPEG = {"Content-Type": "image/jpeg"}
INFO = ImageInfo(None, 0, 0)


class Gated(SureOfMasks):
    """Counts the pictures of each batch, and waits before it answers."""

    def __init__(self) -> None:
        self.open, self.entered = threading.Event(), threading.Semaphore(0)
        self.batches: list[int] = []

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.batches.append(len(batch))
        self.entered.release()
        assert self.open.wait(20)
        return super().__call__(batch)


@contextmanager
def running(engine: Engine) -> Iterator[Engine]:
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture
def gated() -> Gated:
    return Gated()


def occupy(engine: Engine, data: bytes) -> list[Future[int]]:
    """Give each of the two threads a picture."""
    given = []
    for number in (1, 2):
        given.append(submit(engine, data))
        until(lambda: engine.load == (0, number))  # noqa: B023 - called at once
    return given


def submit(engine: Engine, data: bytes, **more: object) -> Future[int]:
    return engine.submit(data, lambda result: len(result.faces), info=INFO, **more)  # type: ignore[arg-type]


def test_pictures_that_wait_go_as_one_batch_if_they_are_looked_at_alike(
    make_engine: Callable[..., Engine], gated: Gated, jpeg: bytes
) -> None:
    with running(make_engine(gated)) as engine:
        engine._batch = 8
        gated.entered.acquire(timeout=20)  # the first look, at nothing
        waiting = occupy(engine, jpeg)
        waiting += [submit(engine, jpeg) for _ in range(3)]
        waiting.append(submit(engine, jpeg, look=Look(conf=0.9)))
        gated.open.set()
        assert [one.result(20) for one in waiting] == [2, 2, 2, 2, 2, 0]
    assert sorted(gated.batches) == [1, 1, 1, 1, 3]


def test_a_picture_that_comes_alone_is_looked_at_on_all_cores(
    make_engine: Callable[..., Engine], gated: Gated, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskdet.sessions.processor.usable_cores", lambda: 2)
    monkeypatch.setattr(Gated, "side_by_side", True, raising=False)
    alone = Gated()
    alone.open.set()
    with running(make_engine(gated, alone=alone)) as engine:
        gated.open.set()
        until(lambda: engine.ready)
        gated.batches.clear()
        alone.batches.clear()
        assert submit(engine, jpeg).result(20) == 2
        assert (len(alone.batches), len(gated.batches)) == (1, 0)
        until(lambda: engine.load == (0, 0))
        gated.open.clear()
        alone.open.clear()
        first = submit(engine, jpeg)
        until(lambda: engine.load == (0, 1) and len(alone.batches) == 2)
        second = submit(engine, jpeg)  # which has the first beside it
        until(lambda: len(gated.batches) == 1)
        alone.open.set()
        gated.open.set()
        assert [first.result(20), second.result(20)] == [2, 2]
    assert (len(alone.batches), len(gated.batches)) == (2, 1)


def test_a_full_queue_is_told_and_nothing_is_lost(
    client: Callable[..., TestClient], make_engine: Callable[..., Engine], gated: Gated, jpeg: bytes
) -> None:
    engine = make_engine(gated, room=2)
    server = client(engine)
    first = occupy(engine, jpeg)
    first += [submit(engine, jpeg, reserved=True) for _ in range(4)]  # cameras have their places, and take no other's
    assert not engine.full
    first += [submit(engine, jpeg) for _ in range(2)]
    answer = server.post("/v1/detect", content=jpeg, headers=JPEG)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["detail"] == "the queue is full"
    assert server.get("/healthz").status_code == 200
    first.append(submit(engine, jpeg, reserved=True))
    gated.open.set()
    assert [one.result(20) for one in first] == [2] * 9
    assert server.post("/v1/detect", content=jpeg, headers=JPEG).status_code == 200


def test_what_waits_at_the_end_is_let_go(make_engine: Callable[..., Engine], gated: Gated, jpeg: bytes) -> None:
    with running(make_engine(gated)) as engine:
        waiting = occupy(engine, jpeg) + [submit(engine, jpeg) for _ in range(2)]
        engine.stop()
        assert [one.cancelled() for one in waiting] == [False, False, True, True]
        gated.open.set()
        assert [one.result(20) for one in waiting[:2]] == [2, 2]
        with pytest.raises(ProblemError):
            submit(engine, jpeg)


def test_an_error_is_the_answer_of_whom_it_concerns(make_engine: Callable[..., Engine], jpeg: bytes) -> None:
    def fail(_result: object) -> None:
        raise RuntimeError("rendering")

    with running(make_engine()) as engine:
        bad = submit(engine, b"no picture")
        unrendered = engine.submit(jpeg, fail, info=INFO)
        impossible = submit(engine, jpeg, look=Look(close_ups=True, imgsz=64))
        good = submit(engine, jpeg)
        with pytest.raises(ProblemError, match="not a picture"):
            bad.result(20)
        with pytest.raises(RuntimeError, match="rendering"):
            unrendered.result(20)
        with pytest.raises(ProblemError, match="close-ups of 160 px need a larger input"):
            impossible.result(20)
        assert good.result(20) == 2


def test_a_network_that_fails_is_a_problem_of_one_sentence(
    client: Callable[..., TestClient], make_engine: Callable[..., Engine], jpeg: bytes
) -> None:
    class Broken(SureOfMasks):
        def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            if batch.any():  # the first look is at a black picture
                raise RuntimeError("secret path /home/somebody")
            return super().__call__(batch)

    answer = client(make_engine(Broken())).post("/v1/detect", content=jpeg, headers=JPEG)
    assert answer.status_code == 500
    assert answer.json()["detail"] == "this should not have happened; the server's log says what did"
    assert "somebody" not in answer.text


@pytest.mark.parametrize(
    ("look", "size", "work"),
    [
        (Look(), (4000, 3000), 1),
        (Look(imgsz=1280), (400, 300), 4),
        (Look(augment=True), (400, 300), 3.4),
        (Look(tile=True), (640, 480), 1),
        # maskdet.detector.inference.tiles: nine tiles of 640 for 1920 × 1080 with an overlap of a fifth or more.
        (Look(tile=True), (1920, 1080), 9),
        (Look(tile=32), (100_000, 1_000), 393_751),
    ],
)
def test_the_work_of_a_picture(look: Look, size: tuple[int, int], work: float) -> None:
    assert look.looks(size, 640) == work
