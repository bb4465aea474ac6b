"""Write the pictures of the server's page for the docs, as Chromium shows it: ``python tools/write_screenshots.py``."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

ROOT: Final = Path(__file__).resolve().parent.parent
EXAMPLES: Final = [ROOT / "examples" / name for name in ("crew.jpg", "astronaut.jpg")]
IMAGES: Final = ROOT / "docs" / "images"

#: Width and height of a window, pixels, and the colours it is shown in.
WINDOWS: Final = {"1280": (1280, 860), "390": (390, 844)}
CAMERAS: Final = {("1280", "dark"), ("390", "light")}

#: Colours of a picture: fewer show steps in skin, more take more bytes. Those of the page itself are among them.
COLOURS: Final = 150


def write_camera(path: Path) -> Path:
    """Write what a camera sees, as raw frames of 640 × 360 pixels: half of the example picture, from left to right."""
    picture = cv2.imread(str(EXAMPLES[0]))
    height, width = picture.shape[:2]
    seen = height * 16 // 9
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H360 F10:1 Ip A1:1 C420jpeg\n")
        for left in np.linspace(0, width - seen, 20).round().astype(int):
            frame = cv2.resize(picture[:, left : left + seen], (640, 360))
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


def launch_chromium(driver: Any, camera: Path) -> Any:
    """Start the system's Chromium with a file for its camera.

    Raises:
        FileNotFoundError: there is none.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise FileNotFoundError("chromium is not installed (apt-get install chromium)")
    switches = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    switches += [f"--use-file-for-fake-video-capture={camera}", "--autoplay-policy=no-user-gesture-required"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        switches.append("--no-sandbox")
    return driver.chromium.launch(executable_path=program, args=switches)


def main() -> None:
    """Start the server, show its page in each window, and write what is seen."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "maskdet", "serve", "--port", "8000"]
    environment = {name: value for name, value in os.environ.items() if name != "MASKDET_API_KEY"}
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as server,
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as driver,
    ):
        assert server.stderr is not None
        address = re.search(r"http://\S+", server.stderr.readline())
        assert address is not None, "the server does not start; is port 8000 taken?"
        browser = launch_chromium(driver, write_camera(Path(folder) / "crew.y4m"))
        for width, (across, down) in WINDOWS.items():
            for theme in ("light", "dark"):
                context = browser.new_context(viewport={"width": across, "height": down}, color_scheme=theme)
                context.set_default_timeout(60_000)
                page = context.new_page()
                page.goto(address[0])
                write_png(show_pictures(page), f"serve-pictures-{width}-{theme}.png")
                if (width, theme) in CAMERAS:
                    write_png(show_camera(page), f"serve-camera-{width}-{theme}.png")
                context.close()
        server.send_signal(signal.SIGTERM)
        server.stderr.read()


def show_pictures(page: Any) -> bytes:
    """Give a page the examples and return what it shows of the first."""
    page.locator("#file").set_input_files(EXAMPLES)
    page.locator("#strip .badge", has_text="%").nth(len(EXAMPLES) - 1).wait_for()
    return bytes(page.screenshot())


def show_camera(page: Any) -> bytes:
    """Start the camera and return what the page shows after a while."""
    page.get_by_role("tab", name="Camera").click()
    page.get_by_role("button", name="Start the camera").click()
    page.locator("#fps", has_text=".").wait_for()
    page.wait_for_timeout(20_000)  # for the chart
    return bytes(page.screenshot())


def page_colours() -> list[str]:
    """Return the colours that the page's own files name, as six digits."""
    folder = ROOT / "maskdet" / "serve" / "page"
    text = "".join((folder / name).read_text(encoding="utf-8") for name in ("style.css", "classes.js"))
    found = {colour.lower() for colour in re.findall(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b", text)}
    return sorted({"".join(digit * 2 for digit in colour) if len(colour) == 3 else colour for colour in found})


def write_png(data: bytes, name: str) -> None:
    """Write a picture with a palette."""
    import io

    from PIL import Image

    picture = Image.open(io.BytesIO(data)).convert("RGB")
    own = np.array([list(bytes.fromhex(colour)) for colour in page_colours()])
    room = COLOURS - len(own)
    common = np.array(picture.quantize(room, method=Image.Quantize.MEDIANCUT, kmeans=1).getpalette()).reshape(-1, 3)
    palette = np.concatenate([common[:room], own])
    # Pillow's own search for the nearest goes by a coarse table, in which white is not white.
    colours, places = np.unique(np.asarray(picture).reshape(-1, 3), axis=0, return_inverse=True)
    nearest = [int(((palette - colour.astype(int)) ** 2).sum(axis=1).argmin()) for colour in colours]
    few = Image.fromarray(np.array(nearest, np.uint8)[places].reshape(picture.size[::-1]), mode="P")
    few.putpalette(palette.astype(np.uint8).tobytes())
    few.save(IMAGES / name, optimize=True)
    print(f"{name}: {(IMAGES / name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
