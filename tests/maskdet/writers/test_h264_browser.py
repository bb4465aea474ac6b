"""An annotated video in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.maskdet.writers.test_h264 import annotate, make_source

pytest.importorskip("av", reason="PyAV is not installed")


def test_chromium_plays_it_with_its_sound(chromium: Any, tmp_path: Path) -> None:
    source = make_source(tmp_path / "clip.mp4", [0, 0.1, 0.2, 0.5, 0.9], size=(66, 48), last=0.3)
    written = annotate(source, tmp_path / "out")
    page = chromium.new_page()
    (tmp_path / "out" / "page.html").write_text(f'<video src="{written.name}" muted></video>')
    page.goto((tmp_path / "out" / "page.html").as_uri())
    played = page.evaluate("""async () => {
        const video = document.querySelector("video");
        await video.play();
        await new Promise((done) => video.addEventListener("ended", done));
        const { videoWidth, videoHeight, duration, error, webkitAudioDecodedByteCount } = video;
        return { videoWidth, videoHeight, duration, error, sound: webkitAudioDecodedByteCount };
    }""")
    page.close()
    assert (played["videoWidth"], played["videoHeight"], played["error"]) == (66, 48, None)
    assert played["duration"] == pytest.approx(1.2, abs=0.06)
    assert played["sound"] > 0
