"""Cameras of the server: each read and looked at by one thread, however many watch; lost ones are tried again."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from maskdet.classes import sum_counts
from maskdet.errors import SourceError, first_line
from maskdet.imaging.encode import encode_picture
from maskdet.results import MaskResult
from maskdet.serve.engine import Engine
from maskdet.serve.live import people_seen
from maskdet.serve.problems import ProblemError
from maskdet.sources import Picture, read

if TYPE_CHECKING:
    from maskdet.alerts.monitor import AlertMonitor
    from maskdet.tracking.face_tracker import FaceTracker

log = logging.getLogger(__name__)

#: Seconds before a camera that was lost is tried again: the first, and the longest wait.
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30.0

#: Between two parts of MJPEG.
BOUNDARY: Final = "maskdet-frame"


@dataclass(slots=True)
class _Seen:
    """What a camera has shown so far."""

    result: MaskResult | None = None
    at: float = 0.0
    frames: int = 0
    rate: float = 0.0
    faces: dict[str, int] | None = None
    error: str | None = None


class Camera:
    """One camera.

    Attributes:
        name: how it is asked for.
    """

    def __init__(
        self,
        name: str,
        source: int | str,
        engine: Engine,
        *,
        tracker: FaceTracker | None = None,
        alerts: AlertMonitor | None = None,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Prepare; ``start`` opens it.

        Args:
            name: how it is asked for.
            source: as ``maskdet.predict`` takes it: an index, an address, or a file, which is shown again and again.
            engine: looks at the frames.
            tracker: tells people apart.
            alerts: looks at every result.
            say: is told in one line when it is lost, and when it is back.
        """
        self.name = name
        self._source, self._engine, self._tracker, self._alerts, self._say = source, engine, tracker, alerts, say
        self._seen = _Seen()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"maskdet-camera-{name}", daemon=True)
        self._viewers: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._jpeg = b""

    def start(self) -> None:
        """Open it."""
        self._thread.start()

    def stop(self) -> None:
        """Want no more frames; viewers come to their end."""
        self._stop.set()
        self._wake()

    def close(self) -> None:
        """Stop, and wait for the last alerts."""
        self.stop()
        if self._alerts is not None:
            self._alerts.close()

    def facts(self) -> dict[str, Any]:
        """Return the newest result, and what was counted until now."""
        seen = self._seen
        state = "lost" if seen.error else "live" if seen.result else "opening"
        return {
            "name": self.name,
            "state": state,
            "error": seen.error,
            "frames": seen.frames,
            "fps": round(seen.rate, 1),
            "age_s": round(time.monotonic() - seen.at, 1) if seen.result else None,
            "viewers": len(self._viewers),
            "faces_seen": seen.faces,
            "people": None if self._tracker is None else people_seen(self._tracker),
            "result": None if seen.result is None else seen.result.to_dict(),
        }

    async def parts(self) -> AsyncIterator[bytes]:
        """Yield each new picture with its boxes, as a part of MJPEG; one that nobody waits for is left out."""
        came = asyncio.Event()
        self._viewers[came] = asyncio.get_running_loop()
        try:
            while not self._stop.is_set():
                await came.wait()
                came.clear()
                if self._jpeg and not self._stop.is_set():
                    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(self._jpeg)}\r\n\r\n"
                    yield head.encode() + self._jpeg + b"\r\n"
        finally:
            del self._viewers[came]

    def _wake(self) -> None:
        for came, loop in list(self._viewers.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(came.set)

    def _run(self) -> None:
        wait = FIRST_WAIT
        while not self._stop.is_set():
            began = self._seen.frames
            try:
                self._watch()
                still = self._seen.error is None
            except Exception as error:
                if self._stop.is_set():  # the engine ends as well, and let the frame go
                    return
                still = False
                if isinstance(error, (SourceError, ProblemError)):
                    self._lose(str(error))
                else:  # one frame that fails costs no further ones
                    log.error("stream %s: a frame failed: %s", self.name, first_line(error), exc_info=error)
                    self._lose("this should not have happened; the server's log says what did")
            # What gave frames is tried again soon; a file, or a picture behind an address, was not lost at all.
            wait = FIRST_WAIT if still or self._seen.frames > began else min(wait * 2, LONGEST_WAIT)
            self._stop.wait(wait)

    def _lose(self, reason: str) -> None:
        if self._seen.error != reason:
            self._say(f"stream {self.name}: {reason}; trying again")
        self._seen.error = reason

    def _watch(self) -> None:
        """Look at frames until there are no more."""
        if self._tracker is not None:
            self._tracker.finish()
        with closing(read(self._source)) as items:
            for item in self._paced(items):
                if self._stop.is_set():
                    return
                if isinstance(item, SourceError):
                    raise item
                self._engine.submit(item, self._render, info=item.info, reserved=True).result()

    def _paced(self, items: Iterator[Picture | SourceError]) -> Iterator[Picture | SourceError]:
        """Give the frames of a file at its own pace, from the first one on, and leave out those that come too late."""
        start: float | None = None
        for item in items:
            if isinstance(item, Picture) and item.clip is not None and not item.clip.live:
                shown = (item.info.frame or 0) / item.clip.fps
                # Opening the file is none of its own time: a short one would be over before its first frame.
                start = time.monotonic() - shown if start is None else start
                due = start + shown
                if time.monotonic() > due + 1 / item.clip.fps:
                    continue
                self._stop.wait(max(0.0, due - time.monotonic()))
            yield item

    def _render(self, found: MaskResult) -> None:
        """Take a result; called in a thread of the engine."""
        result = found if self._tracker is None else self._tracker.update(found)
        now, seen = time.monotonic(), self._seen
        if self._viewers:
            self._jpeg = encode_picture(result.plot(), ".jpg")
            self._wake()
        if seen.error is not None:
            self._say(f"stream {self.name}: back")
        rate = 1 / (now - seen.at) if seen.frames and now > seen.at else 0.0
        self._seen = _Seen(
            result=result.without_pixels(),
            at=now,
            frames=seen.frames + 1,
            rate=rate if not seen.rate else seen.rate + (rate - seen.rate) / 8,
            faces=sum_counts([result.counts, seen.faces or {}]),
        )
        if self._alerts is not None:
            self._alerts.check(result)


class Cameras:
    """All cameras of a server, by name."""

    def __init__(self, cameras: Mapping[str, Camera] | None = None) -> None:
        """Take them, closed."""
        self.by_name = dict(cameras or {})

    def start(self) -> None:
        """Open all."""
        for camera in self.by_name.values():
            camera.start()

    def stop(self) -> None:
        """Want no more frames of any; waits for nothing."""
        for camera in self.by_name.values():
            camera.stop()

    def close(self) -> None:
        """Close all."""
        for camera in self.by_name.values():
            camera.close()
