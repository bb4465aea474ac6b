"""Open files, PIL images of every mode, and JPEGs one behind another: the pixels that the path would give."""

from __future__ import annotations

import io
import struct
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import maskdet
from maskdet.errors import SourceError
from maskdet.imaging.decode import decode_bytes
from maskdet.sources import Picture, is_single, memory, pictures

Image = pytest.importorskip("PIL.Image")

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
DATA = cv2.imencode(".png", PIXELS)[1].tobytes()


def pixels_of(source: Any) -> Any:
    (picture,) = pictures(source)
    assert isinstance(picture, Picture), picture
    return picture.pixels


def error_of(source: Any) -> str:
    (error,) = pictures(source)
    assert isinstance(error, SourceError)
    return str(error)


class Trickle:
    """Gives a few bytes at a time, as a socket does; knows no more than ``read`` and ``close``."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 100))

    def close(self) -> None:
        self._file.close()


@pytest.mark.parametrize("make", [io.BytesIO, Trickle, lambda data: io.BufferedReader(io.BytesIO(data))])
def test_an_open_file_is_read(make: Callable[[bytes], Any]) -> None:
    assert is_single(make(DATA))
    np.testing.assert_array_equal(pixels_of(make(DATA)), PIXELS)
    found = list(pictures([make(DATA), DATA]))
    assert len(found) == 2


def test_files_on_disk_and_temporary_ones(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(DATA)
    with (tmp_path / "a.png").open("rb") as file, tempfile.SpooledTemporaryFile() as spooled:
        np.testing.assert_array_equal(pixels_of(file), PIXELS)
        assert error_of(file) == f"{tmp_path / 'a.png'}: nothing is left to read: if it was read before, seek(0) first"
        assert not file.closed
        spooled.write(DATA)
        spooled.seek(0)
        np.testing.assert_array_equal(pixels_of(spooled), PIXELS)
    assert error_of(file).endswith("a.png: cannot be read (read of closed file)")


def test_a_text_file_is_no_list_of_names(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("a.png\n")
    with (tmp_path / "names.txt").open() as file, pytest.raises(TypeError, match="open it in binary mode"):
        maskdet.predict(file)
    with pytest.raises(TypeError, match="open it in binary mode"):
        maskdet.predict(io.StringIO("a.png"))

    class Upload(Trickle):
        async def read(self, size: int = -1) -> bytes:  # type: ignore[override]
            return b""

    with pytest.raises(TypeError, match=r"pass await file\.read"):
        maskdet.predict(Upload(b""))
    with pytest.raises(TypeError, match="cannot take a picture from VideoCapture"):
        maskdet.predict(cv2.VideoCapture())


def test_no_more_than_the_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_BYTES", 2**20)
    with Path("/dev/zero").open("rb") as endless:
        assert error_of(endless) == "/dev/zero: more than 1 MB; give a path instead"


DEEP = np.arange(600, dtype=np.uint16).reshape(20, 30) * 109
DEEP_DATA = cv2.imencode(".png", DEEP)[1].tobytes()


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I"])
def test_sixteen_bits_are_those_of_the_file(mode: str) -> None:
    image = Image.fromarray(DEEP)
    if mode == "I;16B":
        image = Image.frombytes("I;16B", (30, 20), DEEP.astype(">u2").tobytes())
    elif mode == "I":
        image = Image.fromarray(DEEP.astype(np.int32))
    assert image.mode == mode
    np.testing.assert_array_equal(pixels_of(image), decode_bytes(DEEP_DATA, "x"))


def test_a_deep_picture_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(DEEP).save(tmp_path / "a.png", exif=exif)
    image = Image.open(tmp_path / "a.png")
    assert image.mode.startswith("I")
    assert pixels_of(image).shape == (30, 20, 3)
    np.testing.assert_array_equal(pixels_of(image), decode_bytes((tmp_path / "a.png").read_bytes(), "x"))


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "LA", "PA", "La", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"]
)
def test_every_mode_gives_its_colours(mode: str) -> None:
    grey = mode in {"1", "L", "LA", "La", "PA"}
    plain = Image.new("RGB", (8, 6), (255, 255, 255) if grey else (204, 102, 51))
    steps = {"La": ["LA", "La"], "RGBa": ["RGBA", "RGBa"], "PA": ["LA", "PA"]}
    image = plain
    for step in steps.get(mode, [mode]):
        image = image.convert(step)
    assert image.mode == mode
    wanted = (255, 255, 255) if grey else (51, 102, 204)
    np.testing.assert_allclose(pixels_of(image).astype(int), np.broadcast_to(wanted, (6, 8, 3)), atol=3)


def test_modes_without_one_meaning_are_named() -> None:
    assert "mode F has no range" in error_of(Image.fromarray(np.zeros((4, 5), np.float32)))
    assert "mode I with values from -1 to 0" in error_of(Image.fromarray(np.full((4, 5), -1, np.int32)))
    assert "not decoded" not in error_of(Image.open(io.BytesIO(DATA[:200])))
    assert error_of(Image.new("1", (20_000, 20_000))).startswith("PIL image: 20,000×20,000 pixels is more than")


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32, np.float64, bool])
def test_arrays_of_other_types_are_one_clear_error(kind: Any) -> None:
    assert error_of(np.zeros((4, 5, 3), kind)) == f"array: expected (H, W, 3) uint8 BGR, got (4, 5, 3) {np.dtype(kind)}"


def jpeg(value: int, size: tuple[int, int] = (48, 64)) -> bytes:
    return cv2.imencode(".jpg", np.full((*size, 3), value, np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    "between", [b"", bytes(40), b"\r\n", b"\r\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\n"]
)
def test_jpegs_one_behind_another_are_frames(between: bytes) -> None:
    data = between.join([jpeg(20), jpeg(60)[:300], jpeg(100), jpeg(140), jpeg(180)[:400]])
    for source in (data, io.BytesIO(data)):
        frames = list(pictures(source))
        assert isinstance(frames[0], Picture)
        assert frames[0].info.frame == 0
        levels = [round(float(one.pixels.mean())) for one in frames if isinstance(one, Picture)]
        assert set(levels) >= {20, 140}


def test_a_whole_recording_in_order_and_by_strides(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"".join(jpeg(20 * number) for number in range(6))
    frames = list(pictures(data, stride=2))
    assert [one.info.frame for one in frames if isinstance(one, Picture)] == [0, 2, 4]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    frames = list(pictures("-"))
    assert [one.info.frame for one in frames if isinstance(one, Picture)] == [0, 1, 2, 3, 4, 5]
    results = maskdet.predict(data, imgsz=32)
    assert isinstance(results, list)
    assert [result.image.frame for result in results] == [0, 1, 2, 3, 4, 5]


def test_a_photo_with_a_preview_or_a_gain_map_behind_it_is_one_picture() -> None:
    assert len(list(pictures(jpeg(20) + jpeg(60, (24, 32))))) == 1
    index = b"\xff\xe2" + struct.pack(">H", 6) + b"MPF\0"
    assert len(list(pictures(jpeg(20)[:2] + index + jpeg(20)[2:] + jpeg(60)))) == 1
    assert len(list(pictures(jpeg(20) + b"\0\0\0\x18ftypmp42" + bytes(99)))) == 1  # a moving photo


def test_a_video_in_memory_is_named(tmp_path: Path, write_video: Callable[..., Path]) -> None:
    assert "an MP4 or QuickTime video, which is read from a file" in error_of(write_video("a.mp4").read_bytes())
