"""``/v1/detect``, ``/v1/classify``, and what is said of the models."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from maskdet.classes import CLASS_NAMES
from maskdet.imaging.encode import encode_picture
from maskdet.results import ImageInfo, MaskResult
from maskdet.schema import result_schema
from maskdet.serve.body import BodyReader, Part, take_pictures
from maskdet.serve.engine import Engine
from maskdet.serve.openapi import PICTURE_ANSWERS, PICTURE_BODY, answers, problems
from maskdet.serve.options import Look, LookQuery
from maskdet.serve.problems import ProblemError
from maskdet.weights import card_of, checksum

#: What is said of a model, as an example.
_MODELS = {
    "models": [{"name": "maskdet-n", "task": "detect", "imgsz": 640, "classes": CLASS_NAMES, "sha256": "65d6e0e1…"}],
    "defaults": {"mode": "chain", "conf": None},
    "thresholds": {"detect": {"with_mask": 0.4}, "compare": {"with_mask": 0.4}, "chain": {"with_mask": 0.5}},
}

#: Bytes of a body that is taken apart beside the event loop.
_LONG = 100_000

#: Media types of answers.
JSON_LINES = "application/jsonl"
PICTURES = {"image/jpeg": ".jpg", "image/png": ".png"}


def detect_routes(engine: Engine, bodies: BodyReader) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1")

    about: dict[str, Any] = {"openapi_extra": PICTURE_BODY, "responses": PICTURE_ANSWERS, "tags": ["pictures"]}

    @router.post("/detect", summary="Find faces and say how each wears its mask", **about)
    async def detect(request: Request, query: Annotated[LookQuery, Query()]) -> Response:
        return await _answer(request, engine, bodies, query.over(engine.usual))

    @router.post("/classify", summary="Say of a face crop how it wears its mask", **about)
    async def classify(request: Request) -> Response:
        return await _answer(request, engine, bodies, Look(mode="classify"))

    @router.get(
        "/models", summary="What is loaded, with figures and checksums", tags=["about"], responses=answers(_MODELS, 401)
    )
    async def models() -> dict[str, Any]:
        return model_facts(engine)

    @router.get("/schema", summary="The JSON schema of an answer", tags=["about"], responses=problems(401))
    async def schema() -> dict[str, Any]:
        return result_schema()

    return router


async def _answer(request: Request, engine: Engine, bodies: BodyReader, look: Look) -> Response:
    wanted = wanted_type(request.headers.get("accept", ""))
    if engine.full:
        raise engine.refusal()
    with bodies.reading() as body:
        with engine.announced():
            await bodies.read(request, body)
            kind, data = request.headers.get("content-type", ""), bytes(body)
            # What is long may take long to take apart.
            parts = (
                await asyncio.to_thread(take_pictures, kind, data) if len(data) > _LONG else take_pictures(kind, data)
            )
            if wanted != "json" and len(parts) > 1:
                raise ProblemError(406, "several pictures are answered as JSON Lines only", reason="type")
            waiting = [
                engine.submit(
                    part.data,
                    to_json if wanted == "json" else to_picture(PICTURES[wanted]),
                    info=ImageInfo(part.filename, 0, 0),
                    look=look,
                    reserved=number > 0,
                )
                for number, part in enumerate(parts)
            ]
        done = await asyncio.gather(*map(asyncio.wrap_future, waiting), return_exceptions=len(parts) > 1)
    if len(parts) == 1:
        return Response(done[0], media_type="application/json" if wanted == "json" else wanted)
    return Response("".join(map(_line, done, parts)), media_type=JSON_LINES)


def _line(done: Any, part: Part) -> str:
    """Return the line of one of several pictures: its result, or what is wrong with it."""
    if isinstance(done, ProblemError):
        return json.dumps({**done.to_dict(), "path": part.filename}) + "\n"
    if isinstance(done, BaseException):
        raise done
    return f"{done}\n"


def to_json(result: MaskResult) -> str:
    """Return the ``maskdet/1`` object of a result."""
    return result.to_json()


def to_picture(ending: str) -> Any:
    """Return what encodes a result's picture with its boxes."""

    def encode(result: MaskResult) -> bytes:
        return encode_picture(result.plot(), ending)

    return encode


def wanted_type(accept: str) -> Literal["json", "image/jpeg", "image/png"]:
    """Return what a request wants for an answer: JSON, unless it names a kind of picture and no JSON.

    >>> [wanted_type(accept) for accept in ("", "*/*", "image/png", "image/jpeg, */*;q=0.1", "application/json")]
    ['json', 'json', 'image/png', 'image/jpeg', 'json']
    """
    kinds = [kind.partition(";")[0].strip().lower() for kind in accept.split(",")]
    first = next((kind for kind in kinds if kind in {"image/jpeg", "image/png", "application/json"}), "json")
    return first if first in {"image/jpeg", "image/png"} else "json"  # type: ignore[return-value]


def model_facts(engine: Engine) -> dict[str, Any]:
    """Return what is loaded, and how pictures are looked at where a request does not say."""
    facts = [
        {"name": model.info.name, "task": task, "imgsz": model.info.imgsz, "classes": list(model.info.names)}
        | file_facts(path)
        for task, model, path in (
            ("detect", engine.detector, engine.network.spec.path),
            ("classify", engine.classifier, engine.classifier.path),
        )
    ]
    return {"models": facts, "defaults": asdict(engine.usual), "thresholds": own_thresholds(engine)}


def own_thresholds(engine: Engine) -> dict[str, dict[str, float] | None]:
    """Return from which confidence of each class on a face is reported, by mode, where a request gives no ``conf``.

    None for a mode in which the model has no thresholds of its own, or the server was started with a number.
    """
    detector = engine.detector
    alone, limits = detector.own_thresholds, detector.chain_limits(engine.classifier.info.name)
    by_mode = {"detect": alone, "compare": alone, "chain": limits.fused if limits.own else None}
    return {
        mode: None if own is None else dict(zip(detector.names, own.tolist(), strict=True))
        for mode, own in by_mode.items()
    }


@cache
def file_facts(path: Path | None) -> dict[str, Any]:
    """Return the checksum and the figures of a model's file."""
    return {
        "sha256": None if path is None else checksum(path),
        "figures": None if path is None else card_of(path).get("figures"),
    }
