"""The clients' own rules are applied to what the server answers: how they ask, and how they read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from starlette.testclient import TestClient

from maskdet.serve.engine import Engine
from tests.conftest import SureOfMasks

Client = Callable[..., TestClient]

LABELS = {0: "with_mask", 1: "without_mask", 2: "mask_weared_incorrect"}


def read_as_frigate(answer: Mapping[str, Any], labels: Mapping[int, str], size: tuple[int, int]) -> npt.NDArray[Any]:
    """Read an answer by the rules of frigate/detectors/plugins/deepstack.py: 20 rows of label, confidence and box."""
    rows = np.zeros((20, 6), np.float32)
    if answer.get("predictions") is None:
        return rows
    for index, found in enumerate(answer["predictions"]):
        known = [number for number, name in labels.items() if name == found["label"].lower()]
        if found["confidence"] < 0.4 or not known:
            break
        edges = [found[name] / side for name, side in zip(("y_min", "x_min", "y_max", "x_max"), size * 2, strict=True)]
        rows[index] = [known[0], float(found["confidence"]), *edges]
    return rows


def ask_as_frigate(server: TestClient, jpeg: bytes, key: str = "") -> Any:
    """Ask by its rules too: requests makes a form of ``data`` and ``files`` whose file is called like its field."""
    return server.post("/v1/vision/detection", data={"api_key": key}, files={"image": ("image", jpeg)})


class Crowd(SureOfMasks):
    """Thirty faces side by side, the least sure first."""

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        faces = [[2 + 2 * at, 16, 1.5, 1.5, 0.3 + at / 50, 0, 0] for at in range(30)]
        return np.stack([np.array(faces, dtype=np.float32).T] * len(batch))


def test_frigate_reads_the_face(client: Client, jpeg: bytes) -> None:
    server = client(dialects=("deepstack",))
    rows = read_as_frigate(ask_as_frigate(server, jpeg).json(), LABELS, (32, 64))
    # SureOfMasks: 20 px around the middle of 64 × 32; what it says with 0.3 is where Frigate stops.
    assert rows[0].tolist() == pytest.approx([0, 0.8, 6 / 32, 22 / 64, 26 / 32, 42 / 64])
    assert not rows[1:].any()


def test_frigate_is_given_no_more_than_it_has_room_for(
    client: Client, make_engine: Callable[..., Engine], jpeg: bytes
) -> None:
    server = client(make_engine(Crowd()), dialects=("deepstack",))
    answer = ask_as_frigate(server, jpeg).json()
    confidences = [one["confidence"] for one in answer["predictions"]]
    assert len(confidences) == 20
    assert confidences == sorted(confidences, reverse=True)
    assert confidences[0] == 0.88
    assert read_as_frigate(answer, LABELS, (32, 64))[19, 1] == pytest.approx(0.5)
    more = server.post("/v1/vision/detection?limit=300", files={"image": ("a.jpg", jpeg)}).json()
    assert len(more["predictions"]) == 30
    least = server.post("/v1/vision/detection", files={"image": jpeg}, data={"min_confidence": "0.85"}).json()
    assert len(least["predictions"]) == 2


def test_frigate_is_never_thrown_off_by_an_error(client: Client, jpeg: bytes) -> None:
    server = client(dialects=("deepstack",), keys=("right",))
    for answer in (ask_as_frigate(server, jpeg, "wrong"), ask_as_frigate(server, b"no picture", "right")):
        assert not read_as_frigate(answer.json(), LABELS, (32, 64)).any()
        assert answer.json()["success"] is False
        assert answer.json()["error"]
    assert ask_as_frigate(server, jpeg, "wrong").status_code == 401
    assert ask_as_frigate(server, jpeg, "right").status_code == 200


def read_as_double_take(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read an answer by the rules of double-take's api/src/util/detectors/compreface.js."""
    if not answer.get("result"):
        if answer.get("code") == 28:
            return []
        raise RuntimeError(answer["message"])
    faces = []
    for face in answer["result"]:
        subject = face["subjects"][0] if face["subjects"] else None
        box = face["box"]
        faces.append(
            {
                "name": "unknown" if subject is None else subject["subject"].lower(),
                "box": [box["y_min"], box["x_min"], box["x_max"] - box["x_min"], box["y_max"] - box["y_min"]],
                "mask": {**face["mask"], "probability": round(face["mask"]["probability"] * 100, 2)},
            }
        )
    return faces


def ask_as_double_take(server: TestClient, jpeg: bytes, key: str = "") -> Any:
    return server.post(
        "/api/v1/recognition/recognize?face_plugins=mask,gender&det_prob_threshold=0.8",
        headers={"x-api-key": key},
        files={"file": ("a.jpg", jpeg)},
    )


def test_double_take_reads_the_mask(client: Client, make_engine: Callable[..., Engine], jpeg: bytes) -> None:
    class Surer(SureOfMasks):
        def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            answer = super().__call__(batch)
            answer[:, 4, 0] = 0.9
            return answer

    server = client(make_engine(Surer()), dialects=("compreface",), keys=("right",))
    assert read_as_double_take(ask_as_double_take(server, jpeg, "right").json()) == [
        {"name": "unknown", "box": [6, 22, 20, 20], "mask": {"probability": 90.0, "value": "mask_worn_correctly"}}
    ]
    refused = ask_as_double_take(server, jpeg, "wrong")
    assert refused.status_code == 401


def test_double_take_knows_no_face_from_an_error(client: Client, jpeg: bytes) -> None:
    server = client(dialects=("compreface",))
    nobody = ask_as_double_take(server, jpeg)  # SureOfMasks is sure to 0.8, which is not above 0.8
    assert (nobody.status_code, read_as_double_take(nobody.json())) == (400, [])
    with pytest.raises(RuntimeError, match="not a picture"):
        read_as_double_take(ask_as_double_take(server, b"text").json())


def test_comprefaces_own_detection(client: Client, jpeg: bytes) -> None:
    server = client(dialects=("compreface",))
    files = {"file": ("a.jpg", jpeg)}
    plain = server.post("/api/v1/detection/detect", files=files).json()
    assert [set(face) for face in plain["result"]] == [{"box"}, {"box"}]
    told = server.post("/api/v1/detection/detect?face_plugins=mask&limit=1&status=true", files=files).json()
    assert told["result"] == [
        {
            "box": {"probability": 0.8, "x_max": 42, "y_max": 26, "x_min": 22, "y_min": 6},
            "mask": {"probability": 0.8, "value": "mask_worn_correctly"},
        }
    ]
    assert told["plugins_versions"] == {"detector": "fixed", "mask": "fixed"}
    blue = cv2.imencode(".png", np.full((8, 8, 3), (255, 0, 0), np.uint8))[1].tobytes()
    crop = server.post("/api/v1/detection/detect?face_plugins=mask&detect_faces=false", files={"file": ("b.png", blue)})
    assert crop.json()["result"][0]["mask"]["value"] == "mask_worn_incorrectly"
    wrong = server.post("/api/v1/detection/detect?det_prob_threshold=many", files=files)
    assert (wrong.status_code, wrong.json()["message"]) == (422, "det_prob_threshold: give a number from 0 to 1")


def test_no_dialect_is_spoken_unasked(client: Client, jpeg: bytes) -> None:
    server = client()
    for path in ("/v1/vision/detection", "/api/v1/detection/detect", "/predict", "/setup"):
        assert server.post(path, files={"file": jpeg}).status_code in {404, 405}, path
