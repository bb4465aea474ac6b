"""Label Studio's interface of a machine-learning backend: boxes before somebody draws them.

Tasks name their pictures by address. Of these only one server's are fetched: the one that whoever started this server
named in ``LABEL_STUDIO_URL``, with the key in ``LABEL_STUDIO_API_KEY``, below ``/data/``, and without redirects.
"""

from __future__ import annotations

import asyncio
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Request

from maskdet.classes import meaning
from maskdet.results import ImageInfo, MaskResult
from maskdet.serve.body import MOST_PARTS, BodyReader, take_base64, take_json
from maskdet.serve.engine import Engine
from maskdet.serve.gate import Keys
from maskdet.serve.problems import ProblemError
from maskdet.serve.settings import REQUEST_SECONDS

URL_VARIABLE: Final = "LABEL_STUDIO_URL"
KEY_VARIABLE: Final = "LABEL_STUDIO_API_KEY"


@dataclass(frozen=True, slots=True)
class Labelling:
    """What of a project's labelling is filled in.

    Attributes:
        control: name of its rectangles.
        picture: name of the picture they lie on.
        key: of the task's data that holds the picture.
        labels: the project's label for each of the model's classes that it has one for.
    """

    control: str
    picture: str
    key: str
    labels: Mapping[str, str]


def read_labelling(text: Any, names: tuple[str, ...]) -> Labelling:
    """Read a project's labelling, as XML.

    Labels are the model's classes by name, by ``alias`` or ``predicted_values``, or by what they mean (``no mask``).

    Raises:
        ProblemError: it has no rectangles on a picture, or no label that the model knows.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(str(text), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        raise ProblemError(422, "label_config: not XML", reason="option") from None
    pictures = {one.get("name"): one.get("value", "").lstrip("$") for one in root.iter("Image")}
    for control in root.iter("RectangleLabels"):
        name, on = control.get("name"), control.get("toName")
        if name and on in pictures:
            labels = _labels([dict(label.attrib) for label in control.iter("Label")], names)
            if labels:
                return Labelling(name, str(on), pictures[on], labels)
            raise ProblemError(422, f"label_config: none of its labels is one of {', '.join(names)}", reason="option")
    raise ProblemError(422, "label_config: it has no RectangleLabels on an Image", reason="option")


def _labels(labels: list[dict[str, str]], names: tuple[str, ...]) -> dict[str, str]:
    """Return the label of each class that has one; a name comes before a meaning."""
    found: dict[str, str] = {}
    for label in labels:
        value = label.get("value", "")
        said = {value, label.get("alias", ""), *label.get("predicted_values", "").split(",")}
        for name in names:
            if name.lower() in {one.strip().lower() for one in said}:
                found[name] = value
    for label in labels:
        value = label.get("value", "")
        for name in names:
            if meaning(value) is not None and meaning(value) == meaning(name):
                found.setdefault(name, value)
    return found


def to_prediction(result: MaskResult, labelling: Labelling, version: str) -> dict[str, Any]:
    """Return a result as Label Studio's prediction: sides in per cent of the picture, the least sure face as score."""
    width, height = result.image.width, result.image.height
    faces = [face for face in result.faces if face.name in labelling.labels]
    boxes = []
    for face in faces:
        x1, y1, x2, y2 = face.box
        boxes.append(
            {
                "from_name": labelling.control,
                "to_name": labelling.picture,
                "type": "rectanglelabels",
                "original_width": width,
                "original_height": height,
                "image_rotation": 0,
                "score": round(face.confidence, 5),
                "value": {
                    "x": 100 * x1 / width,
                    "y": 100 * y1 / height,
                    "width": 100 * (x2 - x1) / width,
                    "height": 100 * (y2 - y1) / height,
                    "rotation": 0,
                    "rectanglelabels": [labelling.labels[face.name]],
                },
            }
        )
    score = min((face.confidence for face in faces), default=0.0)
    return {"result": boxes, "score": round(score, 5), "model_version": version}


def picture_path(named: str, server: str) -> str:
    """Return the path on Label Studio's own server that a task's picture has.

    Raises:
        ProblemError: it lies elsewhere, or that server is not named.

    >>> picture_path("http://studio:8080/data/upload/1/a.jpg?d=1", "http://studio:8080")
    '/data/upload/1/a.jpg?d=1'
    """
    parts = urlsplit(named)
    own = urlsplit(server)
    elsewhere = bool(parts.scheme or parts.netloc) and (parts.scheme, parts.netloc) != (own.scheme, own.netloc)
    plain = unquote(unquote(parts.path)).replace("\\", "/")
    if elsewhere or not plain.startswith("/data/") or ".." in plain.split("/"):
        raise ProblemError(
            422, f"{named[:80]}: only pictures of {URL_VARIABLE} below /data/ are fetched", reason="option"
        )
    if own.scheme not in {"http", "https"}:
        raise ProblemError(422, f"set {URL_VARIABLE} and {KEY_VARIABLE} where the server is started", reason="option")
    return parts.path + (f"?{parts.query}" if parts.query else "")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def fetch_picture(named: str, most: int) -> bytes:
    """Fetch a picture of Label Studio's own server, of up to ``most`` bytes.

    Raises:
        ProblemError: it cannot be had.
    """
    server = os.environ.get(URL_VARIABLE, "").rstrip("/")
    address = server + picture_path(named, server)
    asked = urllib.request.Request(address, headers={"Authorization": f"Token {os.environ.get(KEY_VARIABLE, '')}"})
    opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=REQUEST_SECONDS) as answer:
            data: bytes = answer.read(most + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise ProblemError(422, f"{named[:80]}: cannot be fetched ({error})", reason="option") from None
    if len(data) > most:
        raise ProblemError(413, f"{named[:80]}: larger than the {most:,} bytes that are read", reason="body")
    return data


def label_studio_routes(engine: Engine, bodies: BodyReader, _keys: Keys) -> APIRouter:
    """Return what Label Studio asks."""
    router = APIRouter(tags=["dialects"])
    version = engine.detector.info.name

    async def said(request: Request) -> dict[str, Any]:
        with bodies.reading() as body:
            await bodies.read(request, body)
            whole: dict[str, Any] = take_json(bytes(body))
            return whole

    async def predict_one(task: Any, labelling: Labelling) -> dict[str, Any]:
        data = task.get("data") if isinstance(task, dict) else None
        named = data.get(labelling.key) if isinstance(data, dict) else None
        try:
            if not isinstance(named, str):
                raise ProblemError(422, f"tasks: one has no text in {labelling.key!r}", reason="option")
            if named.startswith("data:"):
                picture = take_base64({"image": named})
            else:
                picture = await asyncio.to_thread(fetch_picture, named, bodies.most)
            answer = engine.submit(picture, MaskResult.without_pixels, info=ImageInfo(None, 0, 0), reserved=True)
            return to_prediction(await asyncio.wrap_future(answer), labelling, version)
        except ProblemError as problem:
            return {"result": [], "score": 0.0, "model_version": version, "error": problem.detail}

    @router.get("/health", summary="Label Studio: whether the backend is up")
    async def health() -> dict[str, str]:
        return {"status": "UP", "model_class": "maskdet"}

    @router.post("/setup", summary="Label Studio: take a project's labelling")
    async def setup(request: Request) -> dict[str, str]:
        read_labelling((await said(request)).get("schema"), engine.detector.names)
        return {"model_version": version}

    @router.post("/predict", summary="Label Studio: boxes for tasks")
    async def predict(request: Request) -> dict[str, Any]:
        asked = await said(request)
        tasks = asked.get("tasks")
        if not isinstance(tasks, list) or len(tasks) > MOST_PARTS:
            raise ProblemError(422, f"tasks: give a list of at most {MOST_PARTS}", reason="option")
        labelling = read_labelling(asked.get("label_config"), engine.detector.names)
        if engine.full:
            raise engine.refusal()
        found = [await predict_one(task, labelling) for task in tasks]
        if found and all("error" in one for one in found):
            raise ProblemError(422, found[0]["error"], reason="option")
        return {"results": found}

    return router
