from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from maskdet.schema import result_schema
from maskdet.serve.openapi import EXAMPLE
from maskdet.serve.settings import DIALECTS

Client = Callable[..., TestClient]


def test_the_example_is_a_result() -> None:
    Draft202012Validator(result_schema()).validate(EXAMPLE)


def test_every_call_is_described(client: Client) -> None:
    said = client(dialects=DIALECTS, metrics=True).get("/openapi.json").json()
    assert {
        "/v1/detect", "/v1/classify", "/v1/models", "/v1/schema", "/v1/streams", "/v1/streams/{name}",
        "/v1/streams/{name}.mjpg", "/healthz", "/readyz", "/metrics", "/v1/vision/detection",
        "/api/v1/detection/detect", "/api/v1/recognition/recognize", "/predict", "/setup", "/health",
    } == set(said["paths"])  # fmt: skip
    for path, calls in said["paths"].items():
        for call in calls.values():
            assert call["summary"], path
    detect = said["paths"]["/v1/detect"]["post"]
    assert set(detect["requestBody"]["content"]) == {"image/*", "multipart/form-data", "application/json"}
    assert {"200", "400", "401", "413", "415", "422", "429", "503"} <= set(detect["responses"])
    options = {one["name"]: one for one in detect["parameters"]}
    assert set(options) == {"mode", "conf", "iou", "imgsz", "tile", "close_ups", "augment", "agnostic_nms"}
    assert all(one["description"] for one in options.values())


def test_references_lead_somewhere_and_examples_fit(client: Client) -> None:
    said = client().get("/openapi.json").json()

    def at(pointer: str) -> Any:
        here: Any = said
        for part in pointer.removeprefix("#/").split("/"):
            here = here[part]
        return here

    references = set(re.findall(r"'\$ref': '([^']+)'", str(said)))
    assert "#/components/schemas/MaskResult/$defs/face" in references
    for reference in references:
        at(reference)
    schema = Draft202012Validator(result_schema())
    for path, example in (("/v1/detect", lambda shown: shown), ("/v1/streams/{name}", lambda shown: shown["result"])):
        call = next(iter(said["paths"][path].values()))
        schema.validate(example(call["responses"]["200"]["content"]["application/json"]["example"]))
    for code, answer in said["paths"]["/v1/detect"]["post"]["responses"].items():
        for problem in (answer["content"].get("application/problem+json"),):
            assert problem is None or problem["example"]["status"] == int(code)


def test_the_documentation_is_served_from_here(client: Client) -> None:
    server = client()
    page = server.get("/docs")
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources == ["/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/start.js"]
    for source in sources:
        assert server.get(source).status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "SwaggerUIBundle" in server.get("/docs/swagger-ui-bundle.js").text
    assert server.get("/docs/redoc.standalone.js").status_code == 404
