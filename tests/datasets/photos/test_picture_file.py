from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.datasets.photos.mend import turn_boxes
from maskdet.datasets.photos.picture_file import look_at, look_at_all, read_pixels
from maskdet.errors import SourceError


def pixels(width: int = 400, height: int = 300) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    return cv2.resize(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8), (width, height))


def encode(suffix: str, image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    payload = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + jpeg[2:]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tiff"])
@pytest.mark.parametrize("thumb", [False, True])
def test_size_of_each_format(tmp_path: Path, suffix: str, thumb: bool) -> None:
    path = tmp_path / f"ä b{suffix}"
    path.write_bytes(encode(suffix, pixels()))
    seen = look_at(path, thumb=thumb)
    assert seen.size == seen.stored_size == (400, 300)
    assert seen.orientation == 1
    assert (seen.sha256 is not None) == thumb
    if thumb:
        assert seen.thumb is not None
        assert seen.thumb.shape == (32, 32, 3)


@pytest.mark.parametrize(
    "image",
    [
        pixels()[:, :, 0],
        pixels().astype(np.uint16) * 257,
        np.dstack([pixels(), np.full((300, 400), 9, np.uint8)]),
        pixels(1, 1),
    ],
    ids=["grey", "16-bit", "alpha", "one pixel"],
)
@pytest.mark.parametrize("thumb", [False, True])
def test_odd_png(tmp_path: Path, image: NDArray[np.uint8], thumb: bool) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encode(".png", image))
    assert look_at(path, thumb=thumb).size == image.shape[1::-1]


def broken() -> dict[str, tuple[str, bytes]]:
    jpeg, png = encode(".jpg", pixels()), encode(".png", pixels())
    flipped = bytearray(png)
    flipped[len(png) // 2] ^= 0xFF
    bomb = bytearray(encode(".bmp", pixels(8, 8)))
    bomb[18:26] = struct.pack("<ii", 30000, 30000)
    preview = b"\xff\xe1\x00\x08\xff\xd8\xff\xd9\0\0"
    return {
        "empty": ("a.jpg", b""),
        "text": ("a.jpg", b"hello"),
        "cut jpeg": ("a.jpg", jpeg[: len(jpeg) // 2]),
        "cut jpeg with a whole preview": ("a.jpg", jpeg[:2] + preview + jpeg[2 : len(jpeg) // 2]),
        "jpeg header only": ("a.jpg", jpeg[:20]),
        "cut png": ("a.png", png[: len(png) // 2]),
        "flipped byte": ("a.png", bytes(flipped)),
        "bomb": ("a.bmp", bytes(bomb)),
    }


@pytest.mark.parametrize("case", broken())
def test_broken_pictures_are_noticed(tmp_path: Path, case: str, capfd: pytest.CaptureFixture[str]) -> None:
    name, data = broken()[case]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        look_at(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_behind_the_end_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encode(".jpg", pixels()) + b"made by a phone")
    assert look_at(path).size == (400, 300)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        look_at(tmp_path / "none.jpg")
    with pytest.raises(SourceError, match="cannot be read"):
        read_pixels(tmp_path / "none.jpg")


def test_many_keep_their_order_and_errors(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode(".png", pixels(20, 10)))
    (tmp_path / "b.png").write_bytes(b"no")
    first, second, third = look_at_all([tmp_path / "a.png", tmp_path / "b.png", None])
    assert getattr(first, "size", None) == (20, 10)
    assert isinstance(second, SourceError)
    assert third is None


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_boxes_turn_as_opencv_turns_the_picture(tmp_path: Path, orientation: int) -> None:
    stored = np.zeros((80, 120, 3), np.uint8)
    box = np.array([[16.0, 8.0, 48.0, 24.0]])
    stored[8:24, 16:48] = 255
    path = tmp_path / "a.jpg"
    path.write_bytes(with_orientation(encode(".jpg", stored), orientation))
    seen = look_at(path)
    assert (seen.size, seen.stored_size, seen.orientation) == ((80, 120), (120, 80), orientation)
    upright = read_pixels(path, cv2.IMREAD_GRAYSCALE) > 128
    ys, xs = np.nonzero(upright)
    expected = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
    assert turn_boxes(box, seen.stored_size, orientation).tolist() == [expected]


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500)


@pytest.mark.parametrize("name", ["a.heic", "a.jpg"])
@pytest.mark.parametrize("thumb", [False, True])
def test_heic_is_named_with_the_way_out_or_read_by_the_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, thumb: bool
) -> None:
    path = tmp_path / name
    path.write_bytes(HEIC)
    monkeypatch.setattr("maskdet.imaging.decode.reads_heif", lambda: False)
    with pytest.raises(SourceError, match=r"HEIC picture.*JPEG"):
        look_at(path, thumb=thumb)
    monkeypatch.setattr("maskdet.imaging.decode._decode_heif", lambda data, origin: pixels(40, 30))
    seen = look_at(path, thumb=thumb)
    assert (seen.size, seen.stored_size, seen.kind) == ((40, 30), (40, 30), "HEIC")
    assert read_pixels(path, cv2.IMREAD_GRAYSCALE).shape == (30, 40)
