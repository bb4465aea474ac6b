from __future__ import annotations

import base64
import http.server
import threading
from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient

from maskdet.classes import CLASS_NAMES
from maskdet.serve.label_studio import picture_path, read_labelling
from maskdet.serve.problems import ProblemError

Client = Callable[..., TestClient]

CONFIG = """<View>
  <Image name="photo" value="$picture"/>
  <RectangleLabels name="mask" toName="photo">
    <Label value="with_mask"/><Label value="No mask"/><Label value="wrong" predicted_values="mask_weared_incorrect"/>
  </RectangleLabels>
</View>"""


class Studio(http.server.BaseHTTPRequestHandler):
    """A Label Studio that keeps one picture, asks for its token, and leads elsewhere where it is asked to."""

    picture = b""

    def do_GET(self) -> None:
        known = self.path == "/data/upload/1/a%20b.jpg" and self.headers["Authorization"] == "Token studio"
        self.send_response(302 if self.path == "/data/away.jpg" else 200 if known else 401)
        self.send_header("Location", "/data/upload/1/a%20b.jpg")
        self.end_headers()
        if known:
            self.wfile.write(self.picture)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def studio(jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Start one, and name it to the server."""
    monkeypatch.setattr(Studio, "picture", jpeg)
    with http.server.HTTPServer(("127.0.0.1", 0), Studio) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("LABEL_STUDIO_URL", address)
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", "studio")
        yield address
        server.shutdown()
        thread.join()


def ask(server: TestClient, *pictures: object, config: str = CONFIG) -> list[dict[str, object]]:
    """Ask as Label Studio's api_connector does."""
    tasks = [{"id": number, "data": {"picture": picture}} for number, picture in enumerate(pictures)]
    params = {"login": None, "password": None, "context": None}
    asked = {"tasks": tasks, "model_version": None, "project": "1.170", "label_config": config, "params": params}
    answer = server.post("/predict", json=asked)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, object]] = answer.json()["results"]
    return results


def test_a_backend_is_added(client: Client) -> None:
    server = client(dialects=("label-studio",))
    assert server.get("/health").json() == {"status": "UP", "model_class": "maskdet"}
    asked = {"project": "1.170", "schema": CONFIG, "hostname": "http://x", "access_token": "t", "extra_params": None}
    assert server.post("/setup", json=asked).json() == {"model_version": "fixed"}
    refused = server.post("/setup", json={**asked, "schema": "<View/>"})
    assert refused.status_code == 422
    assert refused.json()["detail"] == "label_config: it has no RectangleLabels on an Image"


def test_boxes_are_shares_of_the_picture_in_the_projects_labels(client: Client, studio: str, jpeg: bytes) -> None:
    server = client(dialects=("label-studio",))
    uri = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    for picture in (f"{studio}/data/upload/1/a%20b.jpg", "/data/upload/1/a%20b.jpg", uri):
        (found,) = ask(server, picture)
        first, second = found["result"]  # type: ignore[misc]
        assert first == {
            "from_name": "mask",
            "to_name": "photo",
            "type": "rectanglelabels",
            "original_width": 64,
            "original_height": 32,
            "image_rotation": 0,
            "score": 0.8,
            "value": {
                "x": 100 * 22 / 64,
                "y": 100 * 6 / 32,
                "width": 31.25,
                "height": 62.5,
                "rotation": 0,
                "rectanglelabels": ["with_mask"],
            },
        }
        assert second["value"]["rectanglelabels"] == ["No mask"]
        assert (found["score"], found["model_version"]) == (0.3, "fixed")


def test_one_bad_task_costs_itself_and_nothing_else(client: Client, studio: str) -> None:
    server = client(dialects=("label-studio",))
    good, away, gone = ask(server, "/data/upload/1/a%20b.jpg", "/data/away.jpg", "/data/gone.jpg")
    assert len(good["result"]) == 2  # type: ignore[arg-type]
    assert away["result"] == gone["result"] == []
    assert "302" in str(away["error"])
    assert "401" in str(gone["error"])
    tasks = {"tasks": [{"data": {"picture": "http://10.0.0.1/data/a.jpg"}}], "label_config": CONFIG}
    alone = server.post("/predict", json=tasks)
    assert alone.status_code == 422
    assert "only pictures of LABEL_STUDIO_URL" in alone.json()["detail"]


@pytest.mark.parametrize(
    "named",
    [
        "http://evil.example/data/a.jpg",
        "https://studio:8080/data/a.jpg",
        "http://studio:8080@evil.example/data/a.jpg",
        "//evil.example/data/a.jpg",
        "http://studio:8080/api/users",
        "/data/../api/users",
        "/data/%2e%2e/api/users",
        "/data/%252e%252e/api/users",
        "/data/..\\api",
        "file:///data/a.jpg",
        "s3://bucket/data/a.jpg",
        "",
    ],
)
def test_no_other_address_is_fetched(named: str) -> None:
    with pytest.raises(ProblemError, match="only pictures of LABEL_STUDIO_URL"):
        picture_path(named, "http://studio:8080")


def test_nothing_is_fetched_where_no_server_is_named() -> None:
    with pytest.raises(ProblemError, match="set LABEL_STUDIO_URL"):
        picture_path("/data/a.jpg", "")


@pytest.mark.parametrize("text", [None, "<", "<!DOCTYPE x [<!ENTITY a 'b'>]><View>&a;</View>", "<View/>", "x" * 10])
def test_a_labelling_that_is_none_is_told(text: object) -> None:
    with pytest.raises(ProblemError, match="label_config: "):
        read_labelling(text, CLASS_NAMES)


def test_labels_are_found_by_name_alias_and_meaning() -> None:
    assert read_labelling(CONFIG, CLASS_NAMES).labels == {
        "with_mask": "with_mask",
        "without_mask": "No mask",
        "mask_weared_incorrect": "wrong",
    }
    other = (
        '<V><Image name="i" value="$i"/><RectangleLabels name="r" toName="i"><Label value="car"/></RectangleLabels></V>'
    )
    with pytest.raises(ProblemError, match="none of its labels is one of with_mask"):
        read_labelling(other, CLASS_NAMES)
