"""The application: routes, the page, the gate around them, and whether it is well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from maskdet.serve.body import BodyReader
from maskdet.serve.detect import detect_routes
from maskdet.serve.engine import Engine
from maskdet.serve.gate import Gate, told_nobody
from maskdet.serve.live import live_routes
from maskdet.serve.problems import add_handlers, busy
from maskdet.serve.settings import ServerSettings
from maskdet.version import __version__

#: Paths that need no key: they say nothing of anybody.
_OPEN: Final = frozenset({"/healthz", "/readyz", "/openapi.json", "/docs"})

#: What needs a key where there is one; everything else is the page's own files.
_GUARDED: Final = ("/v1/", "/api/", "/metrics", "/predict", "/setup", "/health", "/webhook")


def create_app(engine: Engine, settings: ServerSettings | None = None) -> ASGIApp:
    """Return the ASGI application of a server; its engine is started and stopped with it."""
    settings = settings or ServerSettings()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        engine.start()
        yield
        engine.stop()

    app = FastAPI(
        title="maskdet", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    add_handlers(app)
    bodies = BodyReader(settings.max_body)
    app.include_router(detect_routes(engine, bodies))
    app.include_router(live_routes(engine))
    _health(app, engine)
    if settings.page:
        app.mount("/", StaticFiles(directory=page_folder(), html=True))
    outside: ASGIApp = app
    if settings.origins:
        outside = CORSMiddleware(
            app, allow_origins=settings.origins, allow_methods=["GET", "POST"], allow_headers=["*"], max_age=600
        )
    return Gate(outside, settings=settings, open_paths=is_open, told=told_nobody)


def is_open(path: str) -> bool:
    """Whether a path needs no key.

    >>> [is_open(path) for path in ("/", "/app.js", "/healthz", "/v1/detect", "/metrics", "/health")]
    [True, True, True, False, False, False]
    """
    return path in _OPEN or not any(path == one.rstrip("/") or path.startswith(one) for one in _GUARDED)


def page_folder() -> Path:
    """Return the folder of the page's files."""
    return Path(str(files("maskdet.serve") / "page"))


def _health(app: FastAPI, engine: Engine) -> None:
    @app.get("/healthz", summary="Whether the process is alive", tags=["health"])
    async def healthz() -> dict[str, Any]:
        return {"status": "alive"}

    @app.get("/readyz", summary="Whether a picture would be answered now", tags=["health"])
    async def readyz() -> Response:
        if not engine.ready:
            return busy(1, "the model is being loaded").response()
        if engine.full:
            return engine.refusal().response()
        return Response('{"status": "ready"}', media_type="application/json")


Told = Callable[[str], None]
