from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import imagesize
import numpy as np
import pytest

from maskdet.errors import SourceError
from maskdet.imaging.decode import check_header, decode_bytes, decode_file

Image = pytest.importorskip("PIL.Image")

COLUMNS, ROWS = 64, 48
GRADIENT = np.dstack([np.tile(np.arange(COLUMNS) * 4, (ROWS, 1))] * 3).astype(np.uint8)
GRADIENT[:, :, 2] = (np.arange(ROWS) * 5)[:, None]


def encode(kind: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(GRADIENT[:, :, ::-1]).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "tolerance"),
    [
        (encode("PNG"), 0),
        (encode("PNG", "RGBA"), 0),
        (encode("BMP"), 0),
        (encode("TIFF"), 0),
        (encode("WEBP", lossless=True), 0),
        (encode("JPEG", quality=95), 4),
        (encode("JPEG", "CMYK", quality=95), 6),
        (encode("GIF"), 24),
        (encode("PNG", "P"), 30),
    ],
    ids=["png", "rgba", "bmp", "tiff", "webp", "jpeg", "cmyk", "gif", "palette"],
)
def test_kinds_of_pictures_give_the_same_pixels(data: bytes, tolerance: int) -> None:
    image = decode_bytes(data, "x")
    assert image.shape == (ROWS, COLUMNS, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - GRADIENT).mean() <= tolerance


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_grey_becomes_three_equal_channels(mode: str) -> None:
    image = decode_bytes(encode("PNG", mode), "x")
    assert (image[:, :, 0] == image[:, :, 1]).all()
    assert (image[:, :, 0] == image[:, :, 2]).all()


def test_sixteen_bits_become_eight() -> None:
    data = cv2.imencode(".png", GRADIENT.astype(np.uint16) * 257)[1].tobytes()
    np.testing.assert_allclose(decode_bytes(data, "x").astype(int), GRADIENT, atol=1)


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees
    upright = decode_bytes(encode("JPEG", quality=95, exif=exif), "x")
    assert upright.shape == (COLUMNS, ROWS, 3)
    assert np.abs(upright.astype(int) - np.rot90(GRADIENT, -1)).mean() < 4


def test_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    assert decode_bytes(buffer.getvalue(), "x")[4, 4].tolist() == [0, 0, 255]


def test_one_pixel() -> None:
    assert decode_bytes(cv2.imencode(".png", np.full((1, 1, 3), 9, np.uint8))[1].tobytes(), "x").shape == (1, 1, 3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_truncated_pictures_are_refused(kind: str) -> None:
    data = encode(kind)
    with pytest.raises(SourceError, match=r"half\.x: damaged or cut short"):
        decode_bytes(data[: len(data) * 6 // 10], "half.x")


def test_text_and_nothing_are_refused() -> None:
    with pytest.raises(SourceError, match=r"notes\.jpg: not a picture"):
        decode_bytes(b"just some words, no pixels" * 9, "notes.jpg")
    with pytest.raises(SourceError, match=r"empty \(0 bytes\)"):
        decode_bytes(b"", "x")


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_bomb_is_refused_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(cv2, "imdecode", never)
    with pytest.raises(SourceError, match="30,000×30,000 pixels is more than"):
        decode_bytes(png_header(30_000, 30_000), "bomb.png")


@pytest.mark.parametrize("options", [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 2]])
@pytest.mark.parametrize("shape", [(7, 5), (300, 1), (33, 4097)])
def test_jpeg_sizes_are_read_from_the_header_as_imagesize_reads_them(
    options: list[int], shape: tuple[int, int]
) -> None:
    data = cv2.imencode(".jpg", np.zeros((*shape, 3), np.uint8), options)[1].tobytes()
    assert check_header(data, "x").size == imagesize.get(io.BytesIO(data)) == shape[::-1]
    commented = data[:2] + b"\xff\xfe\x00\x05abc\xff" + data[2:]  # a comment, and a fill byte behind it
    assert check_header(commented, "x").size == shape[::-1]


def test_a_jpeg_bomb_is_refused_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(SourceError, match="60,000×50,000 pixels"):
        decode_bytes(b"\xff\xd8\xff\xc0\x00\x11\x08" + struct.pack(">HH", 50_000, 60_000) + b"\x03", "bomb.jpg")


@pytest.mark.parametrize("cut", range(0, 200, 7))
def test_a_cut_header_has_no_size(cut: int) -> None:
    data = cv2.imencode(".jpg", np.zeros((7, 5, 3), np.uint8))[1].tobytes()
    try:
        assert check_header(data[:cut], "x").size == (5, 7)
    except SourceError as error:
        assert error.reason in {
            "the file is empty (0 bytes)",
            "not a picture that can be read, but unknown data",
            "damaged or cut short",
        }


def test_missing_and_unreadable_files(tmp_path: Path, write_png: Callable[..., Path]) -> None:
    with pytest.raises(SourceError, match=r"gone\.jpg: no such file"):
        decode_file(tmp_path / "gone.jpg")
    with pytest.raises(SourceError, match="cannot be read"):
        decode_file(tmp_path)
    assert decode_file(write_png()).shape == (48, 64, 3)
