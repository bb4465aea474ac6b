"""The application: routes, the page, the gate around them, and whether it is well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import StreamingResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from maskdet.serve import metrics as metrics_module
from maskdet.serve.body import BodyReader
from maskdet.serve.cameras import BOUNDARY, Camera, Cameras
from maskdet.serve.detect import detect_routes
from maskdet.serve.dialects import ROUTES
from maskdet.serve.engine import Engine
from maskdet.serve.gate import Gate, Keys, told_nobody
from maskdet.serve.live import live_routes
from maskdet.serve.openapi import EXAMPLE, PEOPLE, add_docs, answers
from maskdet.serve.problems import ProblemError, add_handlers, busy
from maskdet.serve.settings import ServerSettings
from maskdet.version import __version__

#: Paths that need no key, beside the page's own files: they say nothing of anybody.
_OPEN: Final = frozenset({"/", "/healthz", "/readyz", "/openapi.json", "/docs", "/health", "/favicon.ico"})

#: What a camera tells, as an example.
_FACTS: Final = {
    "name": "door",
    "state": "live",
    "error": None,
    "frames": 5120,
    "fps": 12.4,
    "age_s": 0.1,
    "viewers": 1,
    "faces_seen": EXAMPLE["counts"],
    "people": PEOPLE,
    "result": EXAMPLE,
}


def create_app(engine: Engine, settings: ServerSettings | None = None, cameras: Cameras | None = None) -> ASGIApp:
    """Return the ASGI application of a server; its engine and cameras are started and stopped with it."""
    settings, cameras = settings or ServerSettings(), cameras or Cameras()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await anyio.to_thread.run_sync(int)  # loads what the first page would else wait for
        engine.start()
        cameras.start()
        yield
        await anyio.to_thread.run_sync(cameras.close)
        engine.stop()

    app = FastAPI(
        title="maskdet", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    add_handlers(app)
    bodies = BodyReader(settings.max_body)
    told: Callable[[Scope, int, float], Any] = told_nobody
    app.include_router(detect_routes(engine, bodies))
    app.include_router(live_routes(engine))
    app.include_router(_stream_routes(cameras))
    for name in settings.dialects:
        app.include_router(ROUTES[name](engine, bodies, Keys(settings.keys)))
    app.include_router(_health_routes(engine))
    if settings.metrics:
        metrics = metrics_module.Metrics(engine)
        told = metrics.told

        @app.get("/metrics", summary="Counters and times, for Prometheus", tags=["health"])
        async def told_metrics() -> Response:
            return Response(metrics.text(), media_type=metrics_module.MEDIA_TYPE)

    add_docs(app)
    if settings.page:
        app.mount("/", StaticFiles(directory=page_folder(), html=True))
    outside: ASGIApp = app
    if settings.origins:
        outside = CORSMiddleware(
            app, allow_origins=settings.origins, allow_methods=["GET", "POST"], allow_headers=["*"], max_age=600
        )
    return Gate(outside, settings=settings, open_paths=is_open, told=told)


def is_open(path: str) -> bool:
    """Whether a path needs no key: what is not known to say nothing of anybody needs one.

    >>> [is_open(path) for path in ("/", "/app.js", "/healthz", "/docs/start.js", "/v1/detect", "/metrics", "/new")]
    [True, True, True, True, False, False, False]
    """
    return path in _OPEN or path.startswith("/docs/") or path in _page_files()


@cache
def _page_files() -> frozenset[str]:
    folder = page_folder()
    return frozenset(f"/{file.relative_to(folder).as_posix()}" for file in folder.rglob("*") if file.is_file())


def page_folder() -> Path:
    """Return the folder of the page's files."""
    return Path(str(files("maskdet.serve") / "page"))


def _health_routes(engine: Engine) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz", summary="Whether the process is alive", responses=answers({"status": "alive"}))
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.head("/readyz", include_in_schema=False)
    @router.get("/readyz", summary="Whether a picture would be taken", responses=answers({"status": "ready"}, 503))
    async def readyz() -> dict[str, str]:
        if not engine.ready:
            raise busy(1, "the model is being loaded")
        if engine.full:
            raise engine.refusal()
        return {"status": "ready"}

    return router


def _stream_routes(cameras: Cameras) -> APIRouter:
    router = APIRouter(prefix="/v1/streams", tags=["cameras"])

    def named(name: str) -> Camera:
        if name not in cameras.by_name:
            raise ProblemError(404, f"no stream is called {name[:40]}", reason="path")
        return cameras.by_name[name]

    @router.get("", summary="Every camera, its newest result and its counts", responses=answers([_FACTS], 401))
    async def every() -> list[dict[str, Any]]:
        return [camera.facts() for camera in cameras.by_name.values()]

    @router.get(
        "/{name}.mjpg",
        summary="A camera with boxes, as MJPEG",
        response_class=StreamingResponse,
        responses={200: {"content": {"multipart/x-mixed-replace": {}}, "description": "JPEGs without end"}},
    )
    async def mjpeg(name: str) -> Response:
        return StreamingResponse(named(name).parts(), media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}")

    @router.get("/{name}", summary="One camera, its newest result and its counts", responses=answers(_FACTS, 401))
    async def one(name: str) -> dict[str, Any]:
        return named(name).facts()

    return router
