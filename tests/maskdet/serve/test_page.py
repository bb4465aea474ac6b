"""The page in a real browser, before the real server and model."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import maskdet
from maskdet.classes import CLASS_NAMES
from maskdet.results import MaskResult
from maskdet.writers.texts import CsvWriter

for needed in ("fastapi", "uvicorn", "websockets"):
    pytest.importorskip(needed)

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
CREW = EXAMPLES / "crew.jpg"
KEY = "a key that only this test has"

#: Milliseconds that a busy machine may take for an answer.
PATIENCE = 30_000


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Start a server that asks for a key, and return where it is."""
    command = [sys.executable, "-m", "maskdet", "serve", "--port", "0"]
    environment = os.environ | {"MASKDET_API_KEY": KEY}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        yield found[0].rstrip("/") + "/"
        server.send_signal(signal.SIGTERM)
        server.stderr.read()


@dataclass
class Seen:
    """What a page asked for and complained of."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def detections(self) -> int:
        """Pictures that were sent."""
        return sum("/v1/detect" in url for url in self.requests)


Open = Callable[..., Any]


@pytest.fixture
def seen(address: str) -> Iterator[Seen]:
    """Return what the page of a test does; it may ask nobody but its server, and complain of nothing."""
    seen = Seen()
    yield seen
    own = (address, address.replace("http", "ws", 1), "blob:")
    assert [url for url in seen.requests if not url.startswith(own)] == []
    assert seen.complaints == []


@pytest.fixture
def open_page(chromium: Any, address: str, seen: Seen) -> Iterator[Open]:
    """Return a function that opens the page, of a width and in a theme, with the key unless told otherwise."""
    contexts = []

    def open_it(*, width: int = 1280, theme: str = "light", with_key: bool = True) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 860}, color_scheme=theme)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        if with_key:
            context.add_init_script(f"sessionStorage.setItem('maskdet-key', {json.dumps(KEY)})")
        page = context.new_page()
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("websocket", lambda socket: seen.requests.append(socket.url))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on(
            "console",
            lambda told: told.type in {"error", "warning"} and seen.complaints.append(f"{told.type}: {told.text}"),
        )
        page.goto(address)
        return page

    yield open_it
    for context in contexts:
        context.close()


def drop(page: Any, *files: Path, paste: bool = False) -> None:
    """Drop files on a page, as from a folder, or paste them."""
    page.evaluate(
        """([paste, files]) => {
            const data = new DataTransfer();
            for (const [name, type, text] of files) {
                const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
                data.items.add(new File([bytes], name, { type }));
            }
            if (paste) {
                document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
                return;
            }
            for (const kind of ["dragenter", "dragover", "drop"]) {
                const event = new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
                document.body.dispatchEvent(event);
            }
        }""",
        [paste, [[file.name, "image/jpeg", base64.b64encode(file.read_bytes()).decode()] for file in files]],
    )


def expect(locator: Any) -> Any:
    from playwright.sync_api import expect as playwright_expect

    playwright_expect.set_options(timeout=PATIENCE)
    return playwright_expect(locator)


def counts(page: Any, where: str = "#counts") -> list[str]:
    return [str(text) for text in page.locator(f"{where} dd").all_inner_texts()]


def set_threshold(page: Any, value: float) -> None:
    page.locator("#threshold").fill(str(value))


def downloaded(page: Any, name: str) -> tuple[str, bytes]:
    with page.expect_download() as download:
        page.get_by_role("button", name=name, exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def colour(page: Any, x: float, y: float) -> list[int]:
    """Return the red, green and blue of the shown picture at a pixel of the original."""
    return list(
        page.evaluate(
            """([x, y, width]) => {
                const canvas = document.querySelector("#canvas");
                const scale = canvas.width / width;
                return [...canvas.getContext("2d").getImageData(x * scale, y * scale, 1, 1).data.slice(0, 3)];
            }""",
            [x, y, 1020],
        )
    )


@pytest.fixture(scope="module")
def answer() -> MaskResult:
    """Return what the library says of the example: faces from left to right wear none, a mask, one wrong, a mask."""
    return maskdet.predict(CREW)


def between(result: MaskResult) -> float:
    """Return a threshold of whole hundredths that some of the faces stay above and some do not."""
    steps = (step / 100 for step in range(99, 25, -1))
    return next(step for step in steps if 0 < sum(face.confidence > step for face in result.faces) < len(result.faces))


def without_time(result: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key != "time_ms"}


def expected(result: MaskResult) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(result.to_json())
    return without_time({**told, "image": {**told["image"], "path": "crew.jpg"}})


def test_a_dropped_picture_is_answered_and_the_slider_asks_nobody(
    open_page: Open, seen: Seen, answer: MaskResult
) -> None:
    page = open_page()
    assert page.get_by_text("Your pictures stay on this machine: they go to 127.0.0.1").first.is_visible()
    drop(page, CREW)
    expect(page.locator("#compliance")).to_have_text("50 %")
    assert counts(page) == ["2", "1", "1"]
    assert page.locator("#canvas").get_attribute("aria-label") == "crew.jpg: 2 with mask, 1 without mask, 1 worn wrong"
    green = max(answer.faces, key=lambda face: face.box[0])  # the one on the right
    assert green.name == "with_mask"
    assert np.abs(np.subtract(colour(page, green.box[0], (green.box[1] + green.box[3]) / 2), [30, 180, 60])).max() < 40
    assert seen.detections == 1
    high = between(answer)
    left = Counter(face.name for face in answer.faces if face.confidence > high)
    set_threshold(page, high)
    expect(page.locator("#faces tbody tr")).to_have_count(left.total())
    assert counts(page) == [str(left[name]) for name in CLASS_NAMES]
    assert page.locator("#compliance").inner_text() == f"{100 * left['with_mask'] / left.total():.0f} %"
    assert seen.detections == 1


def test_the_models_own_thresholds_hold_until_another_is_chosen(
    open_page: Open, seen: Seen, answer: MaskResult
) -> None:
    page = open_page()
    own = page.get_by_label("The model's own, one a class").first
    drop(page, CREW)
    rows = page.locator("#faces tbody tr")
    expect(rows).to_have_count(len(answer.faces))
    assert (page.locator("#threshold-value").inner_text(), own.is_checked()) == ("the model's own", True)
    high = between(answer)
    set_threshold(page, high)
    expect(page.locator("#threshold-value")).to_have_text(f"{high:.2f}")
    assert not own.is_checked()
    expect(rows).to_have_count(sum(face.confidence > high for face in answer.faces))
    own.check()
    expect(rows).to_have_count(len(answer.faces))
    assert seen.detections == 1


def test_downloads_are_what_the_command_writes(open_page: Open, answer: MaskResult) -> None:
    page = open_page()
    drop(page, CREW)
    expect(page.locator("#compliance")).to_have_text("50 %")
    name, data = downloaded(page, "JSON")
    assert name == "crew.json"
    assert without_time(json.loads(data)) == expected(answer)
    name, data = downloaded(page, "CSV")
    assert name == "crew.csv"
    text = io.StringIO()
    CsvWriter(text, "crew.csv").write(answer)
    rows = [{**row, "path": "crew.jpg"} for row in csv.DictReader(io.StringIO(text.getvalue()))]
    assert list(csv.DictReader(io.StringIO(data.decode()))) == rows
    name, data = downloaded(page, "Picture")
    assert name == "crew-maskdet.jpg"
    drawn = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape == (285, 1020, 3)
    changed = np.abs(drawn.astype(int) - cv2.imread(str(CREW)).astype(int)).max(axis=2) > 60
    x1, y1, x2, y2 = map(round, answer.faces[0].box)
    assert changed[y1 + 5 : y2 - 5, x1 - 1 : x1 + 2].any(axis=1).mean() > 0.9  # its left edge
    assert changed[y1 + 8 : y2 - 8, x1 + 8 : x2 - 8].mean() < 0.05  # the face itself
    high = between(answer)
    set_threshold(page, high)
    assert without_time(json.loads(downloaded(page, "JSON")[1])) == expected(maskdet.predict(CREW, conf=high))


def test_both_answers_side_by_side(open_page: Open) -> None:
    page = open_page()
    drop(page, CREW)
    page.get_by_label("Answer", exact=True).select_option("compare")
    expect(page.locator("#disagreement")).to_be_visible()
    both = maskdet.predict(CREW, mode="compare")
    agree = [face.classifier["agrees"] for face in both.faces if face.classifier]
    words = "agree on all 4 faces." if all(agree) else f"differ on {agree.count(False)} of 4 faces."
    assert page.locator("#disagreement").inner_text() == f"Detector and classifier {words}"
    assert page.locator("#faces thead th").all_inner_texts() == [
        "Face",
        "Class",
        "Confidence",
        "Classifier",
        "Box, pixels",
    ]
    assert without_time(json.loads(downloaded(page, "JSON")[1])) == expected(both)


def test_what_is_chosen_before_the_server_has_answered_stays(open_page: Open) -> None:
    page, held = open_page(), []
    page.route("**/v1/models", lambda route: held.append(route))  # noqa: PLW0108 - it looks at the signature
    page.reload()
    drop(page, CREW)
    choice = page.get_by_label("Answer", exact=True)
    choice.select_option("compare")
    set_threshold(page, 0.6)
    for _ in range(1000):
        if held:
            break
        page.wait_for_timeout(10)
    held[0].continue_()
    expect(page.locator("#model")).to_contain_text("maskdet-n")
    expect(choice).to_have_value("compare")
    expect(page.locator("#threshold-value")).to_have_text("0.60")


def test_several_pictures_are_a_strip(open_page: Open) -> None:
    page = open_page()
    drop(page, CREW)
    page.locator("#file").set_input_files(EXAMPLES / "astronaut.jpg")
    expect(page.locator("#strip .badge").nth(0)).to_have_text("50 %")
    expect(page.locator("#strip .badge").nth(1)).to_have_text("0 %")
    expect(page.locator("#picture-name")).to_have_text("astronaut.jpg")
    assert counts(page) == ["0", "1", "0"]
    page.locator("#strip [aria-selected=true]").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#picture-name")).to_have_text("crew.jpg")
    assert counts(page) == ["2", "1", "1"]
    name, data = downloaded(page, "JSON")
    assert name == "maskdet.jsonl"
    assert [json.loads(line)["image"]["path"] for line in data.splitlines()] == ["crew.jpg", "astronaut.jpg"]
    page.get_by_role("button", name="Clear").click()
    assert page.get_by_role("heading", name="Who wears a mask, and how?").is_visible()


def test_what_is_no_picture_is_said(open_page: Open, seen: Seen, tmp_path: Path) -> None:
    broken = tmp_path / "notes.jpg"
    broken.write_bytes(b"no picture")
    page = open_page()
    drop(page, broken)
    expect(page.locator("#picture-note.wrong")).to_contain_text("not a picture")
    assert page.locator("#strip").is_hidden()
    assert len(seen.complaints) == 1  # Chromium's own line about the status
    assert "status of 4" in seen.complaints.pop()


def test_colours_follow_the_system_until_they_are_chosen(open_page: Open) -> None:
    page = open_page(theme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    switch = page.get_by_role("button", name="Dark colours")
    assert switch.get_attribute("aria-pressed") == "true"
    switch.click()
    light = page.evaluate(ground)
    assert switch.get_attribute("aria-pressed") == "false"
    page.reload()
    assert page.evaluate(ground) == light == "rgb(246, 247, 246)"
    assert dark == "rgb(16, 21, 20)"


def test_the_camera_is_answered_live(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("tab", name="Camera").click()
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("#live-compliance")).to_contain_text("%")
    expect(page.locator("#fps")).to_have_text(re.compile(r"^\d+\.\d$"))
    expect(page.locator("#delay")).to_have_text(re.compile(r"^\d+ ms$"))
    expect(page.locator("#live-canvas")).to_have_attribute("aria-label", re.compile("^Camera: .*mask"))
    expect(page.locator("#chart")).to_have_attribute("aria-label", re.compile(r"\d+ percent on average$"))
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Snapshot").click()
    expect(page.locator("#toast")).to_have_text("Snapshot added to the pictures.")
    page.get_by_role("tab", name="Pictures").click()
    expect(page.locator("#picture-name")).to_have_text(re.compile(r"^camera-.*\.jpg$"))
    assert int(counts(page)[0]) + int(counts(page)[1]) + int(counts(page)[2]) >= 1
    assert page.locator("#video").evaluate("(video) => video.srcObject") is None  # the camera is let go


def test_following_people_counts_each_once(open_page: Open) -> None:
    pytest.importorskip("trackers")
    page = open_page()
    page.get_by_role("tab", name="Camera").click()
    page.get_by_label("Follow people").check()
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("#people")).to_have_text(re.compile(r"^\d+ (person|people) so far"))


def test_the_key_is_asked_for_and_kept(open_page: Open, seen: Seen) -> None:
    page = open_page(with_key=False)
    page.get_by_role("textbox", name="Key").fill("a wrong one")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("textbox", name="Key").fill(KEY)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#model")).to_contain_text("maskdet-n")
    drop(page, CREW)
    expect(page.locator("#compliance")).to_have_text("50 %")
    assert len(seen.complaints) == 2
    assert all("401" in complaint for complaint in seen.complaints)
    seen.complaints.clear()


def test_the_calls_that_are_shown_give_the_same(open_page: Open, answer: MaskResult) -> None:
    page = open_page()
    drop(page, CREW)
    page.get_by_text("The same call from a program").click()
    expect(page.locator("#curl")).to_contain_text("crew.jpg")
    environment = os.environ | {"MASKDET_API_KEY": KEY}
    environment = {name: value for name, value in environment.items() if not name.lower().endswith("_proxy")}
    script = page.locator("#python").inner_text()
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=EXAMPLES, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == f"{answer.counts} {answer.compliance}", done.stderr
    if shutil.which("curl") and shutil.which("sh"):
        command = page.locator("#curl").inner_text()
        assert shlex.split(command)[0] == "curl"
        done = subprocess.run(
            ["sh", "-c", command], cwd=EXAMPLES, env=environment, capture_output=True, text=True, check=False
        )
        assert json.loads(done.stdout)["detections"] == expected(answer)["detections"]


def test_a_phone_has_room_for_everything(open_page: Open) -> None:
    page = open_page(width=390)
    drop(page, CREW, paste=True)
    expect(page.locator("#compliance")).to_have_text("50 %")
    for tab in ("Pictures", "Camera"):
        page.get_by_role("tab", name=tab).click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_everything_has_a_name_and_the_keyboard_reaches_it(open_page: Open) -> None:
    page = open_page()
    nameless = page.evaluate("""() => [...document.querySelectorAll("button, input:not([hidden]), select")]
        .filter((one) => !(one.textContent.trim() || one.ariaLabel || one.labels?.length))
        .map((one) => one.outerHTML)""")
    assert nameless == []
    reached = []
    for _ in range(7):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.ariaLabel"))
    names = ["Skip to the pictures", "maskdet", "Pictures", "API", "Dark colours", "Choose pictures", "Take a photo"]
    assert reached == names
    page.get_by_role("tab", name="Pictures").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="Camera").get_attribute("aria-selected") == "true"
    assert page.get_by_role("button", name="Start the camera").is_visible()
