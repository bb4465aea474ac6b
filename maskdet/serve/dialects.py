"""Other servers' interfaces, for clients that there are already: DeepStack's and CompreFace's, and the list of all.

Written from what the clients send and how they read the answer; ``docs/serve/`` names the files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from maskdet.results import Face, ImageInfo, MaskResult
from maskdet.serve.body import BodyReader, Part, media_type, take_parts
from maskdet.serve.engine import Engine
from maskdet.serve.gate import Keys, key_of
from maskdet.serve.label_studio import label_studio_routes
from maskdet.serve.options import Look
from maskdet.serve.problems import ProblemError

Routes = Callable[[Engine, BodyReader, Keys], APIRouter]

#: Frigate has room for so many and fails at one more.
_FRIGATE: Final = 20

#: What CompreFace calls our classes.
_COMPREFACE: Final = {
    "with_mask": "mask_worn_correctly",
    "without_mask": "without_mask",
    "mask_weared_incorrect": "mask_worn_incorrectly",
}

#: CompreFace's code for a picture without a face, which its clients tell from an error.
_NO_FACE: Final = 28


async def _form(request: Request, bodies: BodyReader, body: bytearray) -> tuple[bytes, dict[str, str]]:
    """Return the picture and the values of a form.

    Raises:
        ProblemError: it is none, or holds no file.
    """
    await bodies.read(request, body)
    content_type = request.headers.get("content-type", "")
    if media_type(content_type) != "multipart/form-data":
        raise ProblemError(415, "send the picture as multipart/form-data", reason="type")
    parts = await asyncio.to_thread(take_parts, content_type, bytes(body))
    file: Part | None = next((part for part in parts if part.filename is not None), None)
    if file is None:
        raise ProblemError(400, "the form has no file", reason="picture")
    return file.data, {part.name: part.data.decode(errors="replace") for part in parts if part.filename is None}


async def _look(engine: Engine, data: bytes, look: Look) -> MaskResult:
    answer = engine.submit(data, MaskResult.without_pixels, info=ImageInfo(None, 0, 0), look=look)
    result: MaskResult = await asyncio.wrap_future(answer)
    return result


def _share(name: str, text: str | None, otherwise: Any) -> Any:
    """Return a threshold from 0 to 1 as somebody wrote it.

    Raises:
        ProblemError: it is none.
    """
    if not text:
        return otherwise
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ProblemError(422, f"{name}: give a number from 0 to 1", reason="option")
    return value


def deepstack_routes(engine: Engine, bodies: BodyReader, keys: Keys) -> APIRouter:
    """Return what Frigate, Blue Iris, Agent DVR and Home Assistant's integrations ask."""
    router = APIRouter(prefix="/v1/vision", tags=["dialects"])

    @router.post("/detection", summary="DeepStack: find objects, here faces by how they wear a mask")
    async def detection(request: Request, limit: Annotated[int, Query(ge=1, le=300)] = _FRIGATE) -> Response:
        try:
            with bodies.reading() as body:
                data, values = await _form(request, bodies, body)
                if not keys.fit(values.get("api_key") or key_of(request.headers)):
                    raise ProblemError(401, "no key, or a wrong one: send it as api_key", reason="key")
                conf = _share("min_confidence", values.get("min_confidence"), engine.usual.conf)
                result = await _look(engine, data, replace(engine.usual, conf=conf))
        except ProblemError as problem:
            request.scope["problem"] = problem.reason
            told = {"success": False, "error": problem.detail, **problem.to_dict()}
            return JSONResponse(told, problem.status, problem.headers)
        # Most confident first: Frigate stops at the first that is not sure enough.
        faces = sorted(result.faces, key=lambda face: -face.confidence)[:limit]
        return JSONResponse({"success": True, "predictions": [_prediction(face) for face in faces], "duration": 0})

    return router


def _prediction(face: Face) -> dict[str, Any]:
    x1, y1, x2, y2 = (round(value) for value in face.box)
    return {
        "label": face.name,
        "confidence": round(face.confidence, 5),
        "x_min": x1,
        "y_min": y1,
        "x_max": x2,
        "y_max": y2,
    }


def compreface_routes(engine: Engine, bodies: BodyReader, _keys: Keys) -> APIRouter:
    """Return what double-take and other clients of CompreFace ask; nobody is recognised, so that nobody has a name."""
    router = APIRouter(prefix="/api/v1", tags=["dialects"])

    async def answer(request: Request, *, subjects: bool) -> Response:
        query = request.query_params
        plugins = query.get("face_plugins", "").split(",")
        try:
            conf = _share("det_prob_threshold", query.get("det_prob_threshold"), engine.usual.conf)
            limit = int(query["limit"]) if query.get("limit", "").isdecimal() else 0
            crop = query.get("detect_faces") == "false"
            with bodies.reading() as body:
                data, _ = await _form(request, bodies, body)
                look = Look(mode="classify") if crop else replace(engine.usual, conf=conf)
                result = await _look(engine, data, look)
        except ProblemError as problem:
            request.scope["problem"] = problem.reason
            return JSONResponse({"message": problem.detail, **problem.to_dict()}, problem.status, problem.headers)
        if not result.faces:
            return JSONResponse({"message": "No face is found in the given image", "code": _NO_FACE}, 400)
        largest = sorted(result.faces, key=lambda face: -(face.box[2] - face.box[0]) * (face.box[3] - face.box[1]))
        found = [_face(face, mask="mask" in plugins, subjects=subjects) for face in largest[: limit or None]]
        versions = {"plugins_versions": {"detector": result.model.name, "mask": result.model.name}}
        return JSONResponse({"result": found, **(versions if query.get("status") == "true" else {})})

    @router.post("/detection/detect", summary="CompreFace: find faces, with face_plugins=mask how they wear it")
    async def detect(request: Request) -> Response:
        return await answer(request, subjects=False)

    @router.post("/recognition/recognize", summary="CompreFace: the same, for clients that ask who it is: nobody")
    async def recognize(request: Request) -> Response:
        return await answer(request, subjects=True)

    return router


def _face(face: Face, *, mask: bool, subjects: bool) -> dict[str, Any]:
    x1, y1, x2, y2 = (round(value) for value in face.box)
    confidence = round(face.confidence, 5)
    told: dict[str, Any] = {
        "box": {"probability": confidence, "x_max": x2, "y_max": y2, "x_min": x1, "y_min": y1},
    }
    if mask:
        told["mask"] = {"probability": confidence, "value": _COMPREFACE.get(face.name, face.name)}
    if subjects:
        told["subjects"] = []
    return told


#: What ``--dialect`` takes: the names are those of ``maskdet.serve.settings``.
ROUTES: Final[dict[str, Routes]] = {
    "deepstack": deepstack_routes,
    "compreface": compreface_routes,
    "label-studio": label_studio_routes,
}
