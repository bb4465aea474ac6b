"""``/openapi.json`` and ``/docs``: every call described, with examples; Swagger UI served from here, not from a CDN."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI
from starlette.responses import FileResponse, HTMLResponse, Response

from maskdet.classes import CLASS_NAMES
from maskdet.schema import result_schema
from maskdet.serve.gate import CONTENT_POLICY

_SCHEMA: Final = "#/components/schemas/MaskResult"

#: One answer as it looks.
EXAMPLE: Final[dict[str, Any]] = {
    "schema": "maskdet/1",
    "image": {"path": "gate.jpg", "width": 400, "height": 267, "frame": None},
    "model": {"name": "maskdet-n", "imgsz": 640, "conf": 0.25},
    "time_ms": 41.2,
    "detections": [
        {
            "name": "with_mask",
            "class": 0,
            "confidence": 0.94312,
            "box": {"x1": 10.0, "y1": 12.5, "x2": 40.1, "y2": 50.0},
            "track_id": None,
        }
    ],
    "counts": {"with_mask": 1, "without_mask": 0, "mask_weared_incorrect": 0},
    "summary": {"faces": 1, "compliant": 1, "compliance": 1.0},
}

#: What may be wrong with a request, with one sentence of each kind.
_PROBLEMS: Final = {
    400: "gate.txt: not a picture that can be read, but a text",
    401: "no key, or a wrong one: send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'",
    408: "the body did not come within 10 s",
    413: "the body is larger than the 20,000,000 bytes that are read",
    415: "text/plain is not read: send a picture as image/*, as multipart/form-data with a field 'file', or JSON",
    422: "conf: input should be less than or equal to 1",
    429: "too many requests from this address",
    503: "the queue is full",
}

#: How a picture is sent.
PICTURE_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["image"],
                    "properties": {"image": {"type": "string", "contentEncoding": "base64"}},
                },
                "example": {"image": "/9j/4AAQSkZJRgABAQ…"},
            },
        },
    }
}


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """Return the descriptions of answers that say what is wrong."""
    from http import HTTPStatus

    return {
        code: {
            "description": HTTPStatus(code).phrase,
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": {"title": HTTPStatus(code).phrase, "status": code, "detail": _PROBLEMS[code]},
                }
            },
        }
        for code in codes
    }


#: What comes back.
PICTURE_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "One `maskdet/1` object; for several pictures JSON Lines, where a picture that cannot be read "
        "has its problem on its line; or the picture with boxes, where `Accept` names image/jpeg or image/png.",
        "content": {
            "application/json": {"schema": {"$ref": _SCHEMA}, "example": EXAMPLE},
            "application/jsonl": {"schema": {"type": "string"}, "example": json.dumps(EXAMPLE) + "\n"},
            "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
            "image/png": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    **problems(400, 401, 408, 413, 415, 422, 429, 503),
}


def answers(example: Any, *codes: int) -> dict[int | str, dict[str, Any]]:
    """Return the description of an answer in JSON, and of what may be wrong."""
    return {200: {"description": "OK", "content": {"application/json": {"example": example}}}, **problems(*codes)}


def _whole(example: Any) -> Any:
    """Return an example with the members that are null, which FastAPI leaves out."""
    if isinstance(example, list):
        return [_whole(one) for one in example]
    if isinstance(example, dict) and example.get("schema") == EXAMPLE["schema"]:
        return EXAMPLE
    is_camera = isinstance(example, dict) and "result" in example
    return {**example, "error": None, "result": EXAMPLE} if is_camera else example


def add_docs(app: FastAPI) -> None:
    """Complete an application's description, and show it at ``/docs``."""
    made = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            said = made()
            text = json.dumps(result_schema()).replace('"#/$defs/', f'"{_SCHEMA}/$defs/')
            schema = {key: value for key, value in json.loads(text).items() if key not in {"$schema", "$id"}}
            problem = {"title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}}
            parts = said.setdefault("components", {})
            schemas = parts.setdefault("schemas", {})
            schemas |= {"MaskResult": schema, "Problem": {"type": "object", "properties": problem}}
            for call in (call for calls in said["paths"].values() for call in calls.values()):
                for shown in call["responses"].get("200", {}).get("content", {}).values():
                    if "example" in shown:
                        shown["example"] = _whole(shown["example"])
                if "HTTPValidationError" in str(call["responses"].get("422")):  # FastAPI's own form of it
                    call["responses"]["422"] = problems(422)[422]
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            parts["securitySchemes"] = {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            }
            said["security"] = [{}, {"bearer": []}, {"key": []}]
        schema_of_all: dict[str, Any] = app.openapi_schema or said
        return schema_of_all

    app.openapi = complete  # type: ignore[method-assign]
    assets = files("fastapi_offline") / "static"

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        # Swagger UI sets styles in its elements.
        policy = {"Content-Security-Policy": f"{CONTENT_POLICY}; style-src 'self' 'unsafe-inline'"}
        return HTMLResponse(_PAGE, headers=policy)

    @app.get("/docs/start.js", include_in_schema=False)
    async def start() -> Response:
        return Response(_START, media_type="text/javascript")

    @app.get("/docs/{name}", include_in_schema=False)
    async def asset(name: str) -> Response:
        if name not in {"swagger-ui-bundle.js", "swagger-ui.css"}:
            return Response(status_code=404)
        return FileResponse(str(assets / name), headers={"Cache-Control": "max-age=3600"})


_PAGE: Final = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>maskdet: the interface</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
"""

_START: Final = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null
});
"""

#: Figures of people, as cameras and live connections tell them.
PEOPLE: Final = {"people": 3, "counts": dict(zip(CLASS_NAMES, (2, 1, 0), strict=True)), "compliance": 0.6667}
