"""``WS /v1/live``: a camera's frames in, results out, the newest frame first.

**Connect** to ``ws://HOST/v1/live?QUERY`` with the subprotocol ``maskdet``. QUERY takes the options of ``/v1/detect``
and ``track=true`` (needs ``maskdet[track]``). Pages cannot send a header: where the server asks for a key, offer a
second subprotocol, ``maskdet.key.`` and the key in base64url without padding (JavaScript:
``new WebSocket(url, ["maskdet", "maskdet.key." + base64url(key)])``).

**Send** binary messages, each one encoded picture (JPEG). They are counted from 0 as they arrive. One is looked at a
connection at a time; of those that come meanwhile only the newest is kept.

**Receive** text messages, each one JSON object:

* a ``maskdet/1`` object whose ``image.frame`` is the number of the frame (``image.path`` is null). Numbers left out
  were frames that gave way to newer ones. With ``track=true`` faces have their ``track_id``, and the object has a
  member ``people`` beside: ``{"people": 3, "counts": {"with_mask": 2, …}, "compliance": 0.67}``, everybody seen so far
  in this connection, each by the class most often seen;
* a problem, as every error of the server: ``{"title", "status", "detail", "frame"}``. ``status`` 400 and 413 are about
  the picture, 503 means that others fill the queue: the connection stays, send the next frame.

The server closes with code 1008 where host, origin, key or query are wrong (the reason says which), 1013 where too many
are connected, 1009 where a message is too large, and 1001 when it stops.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from maskdet.errors import MissingExtraError
from maskdet.results import ImageInfo, MaskResult
from maskdet.results.json_lines import to_line
from maskdet.serve.engine import Engine
from maskdet.serve.gate import LIVE_PROTOCOL
from maskdet.serve.options import Look, LookQuery
from maskdet.serve.problems import ProblemError, option_sentence

if TYPE_CHECKING:
    from maskdet.tracking.face_tracker import FaceTracker

#: Connections at once.
MOST_CLIENTS: Final = 16


class LiveQuery(LookQuery):
    """The query of ``/v1/live``."""

    track: bool = False

    def over(self, usual: Look) -> Look:
        """Return how to look."""
        return LookQuery(**self.model_dump(exclude={"track"})).over(usual)


def live_routes(engine: Engine) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/v1")
    clients: set[WebSocket] = set()

    @router.websocket("/live")
    async def live(socket: WebSocket) -> None:
        offered = socket.scope.get("subprotocols") or []
        await socket.accept(subprotocol=LIVE_PROTOCOL if LIVE_PROTOCOL in offered else None)
        try:
            query = LiveQuery.model_validate(dict(socket.query_params))
            tracker = open_tracker() if query.track else None
        except ValidationError as error:
            told = [{**one, "loc": ("query", *one["loc"])} for one in error.errors()]
            await socket.close(1008, option_sentence(told)[:120])
            return
        except MissingExtraError as error:
            await socket.close(1008, str(error))
            return
        if len(clients) >= MOST_CLIENTS:
            await socket.close(1013, "too many are connected")
            return
        clients.add(socket)
        try:
            await _Conversation(socket, engine, query.over(engine.usual), tracker).hold()
        finally:
            clients.discard(socket)

    return router


def open_tracker() -> FaceTracker:
    """Return what tells people apart.

    Raises:
        MissingExtraError: the ``track`` extra is not installed.
    """
    from maskdet.tracking.face_tracker import FaceTracker

    return FaceTracker()


def people_seen(tracker: FaceTracker) -> dict[str, Any]:
    """Return who was seen so far, as a JSON object: how many people, by class, and the share that wear it properly."""
    return {"people": tracker.people, "counts": tracker.counts, "compliance": tracker.compliance}


class _Conversation:
    """One connection: a task receives frames, another answers the newest."""

    def __init__(self, socket: WebSocket, engine: Engine, look: Look, tracker: FaceTracker | None) -> None:
        self._socket, self._engine, self._look, self._tracker = socket, engine, look, tracker
        self._newest: tuple[int, bytes] | None = None
        self._came = asyncio.Event()

    async def hold(self) -> None:
        """Go on until the other side leaves."""
        answering = asyncio.create_task(self._answer())
        try:
            number = 0
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                if message.get("bytes"):
                    self._newest = number, message["bytes"]
                    number += 1
                    self._came.set()
        finally:
            answering.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect):
                await answering

    async def _answer(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            if self._newest is None:
                continue
            (number, data), self._newest = self._newest, None
            try:
                info = ImageInfo(None, 0, 0, number)
                answer = self._engine.submit(data, self._render, info=info, look=self._look)
                text = await asyncio.wrap_future(answer)
            except ProblemError as problem:
                text = json.dumps({**problem.to_dict(), "frame": number})
            await self._socket.send_text(text)

    def _render(self, result: MaskResult) -> str:
        if self._tracker is None:
            return result.to_json()
        tracked: dict[str, Any] = self._tracker.update(result).to_dict()
        return to_line({**tracked, "people": people_seen(self._tracker)})
