"""What is counted and timed, for Prometheus: nothing of it says who sent a picture or who is on it."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from starlette.types import Scope

from maskdet.results import MaskResult
from maskdet.serve.engine import Engine
from maskdet.version import __version__

#: Of the plain text that every Prometheus reads.
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: Seconds: from a small picture's decoding to a large one in tiles.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one server; it observes the engine."""

    def __init__(self, engine: Engine) -> None:
        """Watch an engine."""
        self._registry = CollectorRegistry()
        here: Any = {"registry": self._registry}
        self._requests = Counter("maskdet_requests", "Requests answered.", ["code"], **here)
        self._seconds = Histogram("maskdet_request_seconds", "Of a whole request.", buckets=_BUCKETS, **here)
        self._stages = Histogram("maskdet_stage_seconds", "Of a picture.", ["stage"], buckets=_BUCKETS, **here)
        self._faces = Counter("maskdet_faces", "Faces found.", ["name"], **here)
        self._rejections = Counter("maskdet_rejections", "Requests refused.", ["reason"], **here)
        Gauge("maskdet_queue", "Pictures that wait.", **here).set_function(lambda: engine.load[0])
        Gauge("maskdet_in_flight", "Pictures that are looked at.", **here).set_function(lambda: engine.load[1])
        models = {"detector": engine.detector.info.name, "classifier": engine.classifier.info.name}
        Info("maskdet_model", "What is loaded.", **here).info({"version": __version__, **models})
        for stage in ("decode", "queue", "model"):
            self._stages.labels(stage)
        for name in engine.detector.names:
            self._faces.labels(name)
        engine.observer = self

    def stage(self, name: str, seconds: float) -> None:
        """Take the time of one stage of one picture."""
        self._stages.labels(name).observe(seconds)

    def faces(self, result: MaskResult) -> None:
        """Take one result."""
        for name, count in result.counts.items():
            self._faces.labels(name).inc(count)

    def told(self, scope: Scope, status: int, seconds: float) -> None:
        """Take one answer."""
        if scope["type"] == "http":
            self._requests.labels(str(status)).inc()
            self._seconds.observe(seconds)
        if "problem" in scope:
            self._rejections.labels(scope["problem"]).inc()

    def text(self) -> bytes:
        """Return all of it."""
        return generate_latest(self._registry)
