from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from maskdet.classifier.inference.model import MaskClassifier
from maskdet.cli import cli
from maskdet.detector.inference.runtime import load_runtime
from maskdet.serve.engine import Engine
from maskdet.weights import default_model

Client = Callable[..., TestClient]


def test_a_picture_is_answered_whichever_way_it_comes(client: Client, jpeg: bytes) -> None:
    server = client()
    sent = {
        "-": server.post("/v1/detect", content=jpeg, headers={"Content-Type": "image/jpeg"}),
        "a.jpg": server.post("/v1/detect", files={"file": ("some/folder/a.jpg", jpeg)}),
        None: server.post("/v1/detect", json={"image": base64.b64encode(jpeg).decode()}),
    }
    for path, answer in sent.items():
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["image"] == {"path": path, "width": 64, "height": 32, "frame": None}
        # SureOfMasks: 20 px around the middle.
        assert found["detections"][0]["box"] == {"x1": 22, "y1": 6, "x2": 42, "y2": 26}
        assert found["counts"] == {"with_mask": 1, "without_mask": 1, "mask_weared_incorrect": 0}


def test_options_are_those_of_the_command(client: Client, jpeg: bytes) -> None:
    server = client()
    for query, faces in {"": 2, "conf=0.5": 1, "conf=0.9": 0, "agnostic_nms=true": 1, "mode=chain": 1}.items():
        answer = server.post(f"/v1/detect?{query}", content=jpeg, headers={"Content-Type": "image/jpeg"})
        assert answer.json()["summary"]["faces"] == faces, query


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("conf=3", "conf: input should be less than or equal to 1"),
        ("conf=nan", "conf: input should be a finite number"),
        ("imgsz=31", "imgsz: input should be greater than or equal to 32"),
        ("mode=guess", "mode: input should be 'detect', 'chain' or 'compare'"),
        ("url=http://a", "url: no such option"),
        ("imgsz=8192", "imgsz: 64×32 pixels looked at so are 16,384 times the usual work, and at most 48 are done"),
    ],
)
def test_a_bad_option_is_named(client: Client, jpeg: bytes, query: str, sentence: str) -> None:
    answer = client().post(f"/v1/detect?{query}", content=jpeg, headers={"Content-Type": "image/jpeg"})
    assert answer.json() == {"title": "Unprocessable Entity", "status": 422, "detail": sentence}
    assert answer.headers["content-type"] == "application/problem+json"


def test_several_pictures_are_lines_in_order(client: Client, jpeg: bytes) -> None:
    files = [("file", ("a.jpg", jpeg)), ("file", ("b.txt", b"text")), ("file", ("c.jpg", jpeg))]
    answer = client().post("/v1/detect", files=files)
    assert answer.headers["content-type"] == "application/jsonl"
    first, second, third = map(json.loads, answer.text.splitlines())
    assert (first["image"]["path"], third["image"]["path"]) == ("a.jpg", "c.jpg")
    assert (second["path"], second["status"]) == ("b.txt", 400)
    assert second["detail"] == "b.txt: not a picture that can be read, but a text"


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png"])
def test_the_annotated_picture_where_one_is_accepted(client: Client, kind: str) -> None:
    grey = cv2.imencode(".png", np.full((640, 1280, 3), 128, np.uint8))[1].tobytes()
    headers = {"Content-Type": "image/png", "Accept": f"{kind},*/*;q=0.5"}
    answer = client().post("/v1/detect?conf=0.5", content=grey, headers=headers)
    assert answer.headers["content-type"] == kind
    drawn = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape == (640, 1280, 3)
    blue, green, red = (int(value) for value in drawn[520, 640])  # the lower edge of the box
    assert green > 150
    assert max(blue, red) < 100


def test_a_crop_is_classified(client: Client) -> None:
    red = cv2.imencode(".png", np.full((8, 8, 3), (0, 0, 255), np.uint8))[1].tobytes()
    answer = client().post("/v1/classify", content=red, headers={"Content-Type": "image/png"}).json()
    # e¹⁰ / (e¹⁰ + 2)
    assert (answer["detections"][0]["name"], answer["detections"][0]["confidence"]) == ("with_mask", 0.99991)


def test_the_answer_is_that_of_the_command(client: Client, astronaut: Path) -> None:
    data = astronaut.read_bytes()
    shipped = default_model()
    network = load_runtime(shipped.path, name=shipped.name, threads=1)
    server = client(Engine(network, MaskClassifier()))
    for mode in ("detect", "chain"):
        done = CliRunner().invoke(cli, ["detect", "-", "--json", "-", "--mode", mode], input=data)
        told = json.loads(done.stdout)
        answer = server.post(f"/v1/detect?mode={mode}", content=data, headers={"Content-Type": "image/jpeg"}).json()
        assert len(told["detections"]) == 1
        assert told.pop("time_ms") > 0
        assert answer.pop("time_ms") > 0
        assert answer == told
