from __future__ import annotations

from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

Client = Callable[..., TestClient]


def test_requests_stages_faces_and_rejections_are_counted(client: Client, jpeg: bytes) -> None:
    server = client(metrics=True)
    for content, kind in ((jpeg, "image/jpeg"), (jpeg, "image/jpeg"), (b"text", "image/jpeg"), (b"", "text/plain")):
        server.post("/v1/detect", content=content, headers={"Content-Type": kind})
    server.get("/v1/models", headers={"Host": "evil.example"})
    answer = server.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    told = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert told["maskdet_requests_total", "200"] == 2
    assert told["maskdet_requests_total", "400"] == 2
    assert told["maskdet_requests_total", "421"] == 1
    assert told["maskdet_rejections_total", "picture"] == 2
    assert told["maskdet_rejections_total", "host"] == 1
    assert told["maskdet_faces_total", "with_mask"] == 2
    assert told["maskdet_faces_total", "mask_weared_incorrect"] == 0
    assert told["maskdet_stage_seconds_count", "decode"] == 2
    assert told["maskdet_stage_seconds_count", "queue"] == 3
    assert told["maskdet_stage_seconds_count", "model"] == 2
    assert (told["maskdet_queue",], told["maskdet_in_flight",]) == (0, 0)
    (model,) = [key for key in told if key[0] == "maskdet_model_info"]
    assert {"fixed", "tiny"} <= set(model)


def test_they_are_told_only_where_they_are_wanted(client: Client) -> None:
    assert client().get("/metrics").status_code == 404
