"""Sizes read from headers agree with two oracles (decoder, Pillow); what asks for too much is not decoded."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskdet
from maskdet.datasets.photos.picture_file import look_at
from maskdet.errors import SourceError
from maskdet.imaging.decode import check_header, decode_bytes
from maskdet.imaging.header import DamagedHeaderError, read_picture_header
from maskdet.imaging.limits import max_decoding_bytes

Image = pytest.importorskip("PIL.Image")

CASES = Path(__file__).parent.parent.parent / "cases"
ROWS, COLUMNS = 47, 61
COLOUR = np.random.default_rng(0).integers(0, 256, (ROWS, COLUMNS, 3), np.uint8)


def by_opencv(ending: str, pixels: Any = COLOUR) -> bytes:
    return cv2.imencode(ending, pixels)[1].tobytes()


def by_pillow(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(COLOUR).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def text_header(start: str, pixels: bytes) -> bytes:
    return start.encode() + pixels


SOUND: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: by_opencv(".jpg"),
    "JPEG progressive": lambda: by_pillow("JPEG", progressive=True),
    "JPEG CMYK": lambda: by_pillow("JPEG", "CMYK"),
    "PNG": lambda: by_opencv(".png"),
    "PNG of 16 bits": lambda: by_opencv(".png", COLOUR.astype(np.uint16) * 257),
    "PNG, animated": lambda: by_pillow("PNG", save_all=True, append_images=[Image.new("RGB", (COLUMNS, ROWS))]),
    "BMP": lambda: by_opencv(".bmp"),
    "BMP with palette": lambda: by_pillow("BMP", "P"),
    "GIF": lambda: by_pillow("GIF", "P", comment=b"by hand" * 99),
    "TIFF": lambda: by_opencv(".tif"),
    "TIFF in one strip": lambda: by_pillow("TIFF", tiffinfo={278: ROWS}),
    "TIFF, big": lambda: by_pillow("TIFF", big_tiff=True),
    "TIFF of 16 bits": lambda: by_opencv(".tif", COLOUR.astype(np.uint16) * 257),
    "WebP": lambda: by_pillow("WEBP"),
    "WebP, lossless": lambda: by_pillow("WEBP", lossless=True),
    "WebP with transparency": lambda: by_pillow("WEBP", "RGBA", exif=b"Exif\0\0II*\0"),
    "JPEG 2000": lambda: by_opencv(".jp2"),
    "JPEG 2000, bare": lambda: (data := by_opencv(".jp2"))[data.index(b"\xff\x4f\xff\x51") :],
    "PPM": lambda: by_opencv(".ppm"),
    "PPM with comments": lambda: b"P6 # by hand\n# twice\n61 # across\n47\n255\n" + COLOUR.tobytes(),
    "PBM": lambda: b"P4\n61 47\n" + bytes(8 * ROWS),
    "PAM": lambda: by_opencv(".pam"),
    "PFM": lambda: by_opencv(".pfm", COLOUR.astype(np.float32)),
    "HDR": lambda: by_opencv(".hdr", COLOUR.astype(np.float32)),
    "Sun raster": lambda: by_opencv(".ras"),
    "AVIF": lambda: by_opencv(".avif"),
    "AVIF, animated": lambda: by_pillow("AVIF", save_all=True, append_images=[Image.new("RGB", (COLUMNS, ROWS))]),
}


@pytest.mark.parametrize("name", SOUND)
def test_every_kind_that_opencv_reads_tells_its_size(name: str) -> None:
    data = SOUND[name]()
    header = check_header(data, "x")
    assert header.size == (COLUMNS, ROWS)
    assert decode_bytes(data, "x").shape == (ROWS, COLUMNS, 3)
    assert COLUMNS * ROWS * 6 <= header.memory <= COLUMNS * ROWS * 32 + 20_000


def test_the_bmp_of_os2(tmp_path: Path) -> None:
    path = CASES / "bmp-os2" / "os2.bmp"
    assert check_header(path.read_bytes(), path).size == look_at(path).size == (64, 64)
    np.testing.assert_array_equal(
        decode_bytes(path.read_bytes(), path), np.asarray(Image.open(path).convert("RGB"))[:, :, ::-1]
    )


def png(width: int, height: int, *chunks: tuple[bytes, bytes], depth: int = 8, colour: int = 2, lace: int = 0) -> bytes:
    head = (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, lace))
    parts = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in (head, *chunks, (b"IEND", b""))
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg(
    width: int, height: int, *, before: bytes = b"", frame: int = 0xC0, scan: int = 3, samples: int = 0x11
) -> bytes:
    parts = b"".join(bytes([number, samples, 0]) for number in (1, 2, 3))
    sof = bytes([0xFF, frame]) + struct.pack(">HBHHB", 17, 8, height, width, 3) + parts
    return b"\xff\xd8" + before + sof + b"\xff\xda" + struct.pack(">HB", 6 + 2 * scan, scan) + bytes(99) + b"\xff\xd9"


def tiff(order: str, tags: dict[int, tuple[int, int]], *, big: bool = False) -> bytes:
    where, entry = ("Q", "HHQQ") if big else ("I", "HHII")
    start = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "H", 43 if big else 42)
    head = struct.pack(order + "HHQ", 8, 0, 16) if big else struct.pack(order + "I", 8)
    count = struct.pack(order + ("Q" if big else "H"), len(tags))
    room = 8 if big else 4
    entries = b"".join(
        struct.pack(order + entry[:2] + where, tag, kind, 1)
        + struct.pack(order + {3: "H", 4: "I", 16: "Q"}[kind], value).ljust(room, b"\0")
        for tag, (kind, value) in sorted(tags.items())
    )
    return start + head + count + entries + bytes(8)


def siz(width: int, height: int, tile: int, components: int = 3) -> bytes:
    body = struct.pack(">H8IH", 0, width, height, 0, 0, tile, tile, 0, 0, components) + b"\7\1\1" * components
    return b"\xff\x4f\xff\x51" + struct.pack(">H", len(body) + 2) + body


def webp(kind: bytes, body: bytes) -> bytes:
    chunk = kind + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


THUMBNAIL = b"\xff\xe1" + struct.pack(">H", 8 + len(jpeg(8, 8))) + b"Exif\0\0" + jpeg(8, 8)
BOMBS: dict[str, bytes] = {
    "a stray byte": jpeg(30_000, 30_000, before=b"\xff\xfe\0\3a\0"),
    "a stuffed byte": jpeg(30_000, 30_000, before=b"\xff\0\xff\xff"),
    "behind a small preview": jpeg(30_000, 30_000, before=THUMBNAIL),
    "progressive": jpeg(9_000, 9_000, frame=0xC2),
    "arithmetic and progressive": jpeg(9_000, 9_000, frame=0xCA),
    "a scan for each component": jpeg(9_000, 9_000, scan=1),
    "PNG": png(30_000, 30_000),
    "PNG of 16 bits": png(11_000, 9_000, depth=16, colour=6),
    "PNG, interlaced": png(11_000, 10_900, colour=6, lace=1),
    "PNG, animated": png(11_000, 9_000, (b"acTL", bytes(8))),
    "BMP": b"BM" + bytes(12) + struct.pack("<Iii", 40, 30_000, -30_000) + bytes(40),
    "BMP of OS/2": b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 60_000, 60_000, 1, 24) + bytes(40),
    "GIF": b"GIF89a" + struct.pack("<HHBBB", 60_000, 60_000, 0, 0, 0) + b"," + bytes(30),
    "a GIF with a frame beyond it": b"GIF89a"
    + struct.pack("<HHBBB", 9, 9, 0, 0, 0)
    + b","
    + struct.pack("<4H", 0, 0, 60_000, 60_000)
    + bytes(9),
    "TIFF": tiff("<", {256: (4, 30_000), 257: (3, 30_000)}),
    "TIFF from the other end": tiff(">", {256: (3, 30_000), 257: (4, 30_000)}),
    "TIFF, big": tiff("<", {256: (16, 30_000), 257: (16, 30_000)}, big=True),
    "a tile": tiff("<", {256: (3, 99), 257: (3, 99), 322: (4, 30_000), 323: (4, 30_000)}),
    "TIFF of 64 bits": tiff("<", {256: (3, 9_000), 257: (3, 9_000), 258: (3, 64), 277: (3, 4)}),
    "WebP": webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 16_000, 16_000) + bytes(20)),
    "WebP, lossless": webp(b"VP8L", b"\x2f" + struct.pack("<I", 15_999 | 15_999 << 14) + bytes(20)),
    "WebP, extended": webp(b"VP8X", bytes(4) + b"\xff\xff\0\xff\xff\0" + bytes(20)),
    "JPEG 2000": siz(30_000, 30_000, 30_000),
    "many tiles": siz(60_000, 1_000, 16),
    "many components": siz(1_000, 1_000, 1_000, 16_000),
    "JPEG 2000 in boxes": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50) + siz(30_000, 30_000, 30_000),
    "PPM": text_header("P6\n30000 30000\n255\n", b""),
    "PGM as text": text_header("P2 # large\n30000\n30000\n255\n", b"0 0"),
    "PAM": text_header("P7\nWIDTH 30000\nHEIGHT 30000\nDEPTH 3\nMAXVAL 255\nENDHDR\n", b""),
    "PFM": text_header("PF\n9000 9000\n-1\n", b""),
    "HDR": text_header("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 9000 +X 9000\n", b""),
    "Sun raster": b"\x59\xa6\x6a\x95" + struct.pack(">7I", 30_000, 30_000, 24, 0, 1, 0, 0),
    "AVIF": by_opencv(".avif").replace(struct.pack(">II", COLUMNS, ROWS), struct.pack(">II", 30_000, 30_000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_asks_for_too_much_is_not_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(SourceError, match=r"more than the .*MASKDET_MAX_MEGAPIXELS"):
        decode_bytes(BOMBS[name], "bomb")


def test_an_avif_whose_picture_is_larger_than_its_container_says() -> None:
    large = cv2.imencode(".avif", np.zeros((480, 640, 3), np.uint8))[1].tobytes()
    lying = large.replace(struct.pack(">II", 640, 480), struct.pack(">II", 16, 16))
    assert lying != large
    header = read_picture_header(lying)
    assert header is not None
    assert header.size == (640, 480)


def test_a_progressive_jpeg_of_a_thousand_scans_is_damaged() -> None:
    data = jpeg(5_000, 5_000, frame=0xC2, samples=0x11)
    assert check_header(data, "x").size == (5_000, 5_000)
    with pytest.raises(SourceError, match="1,001 scans"):
        check_header(data[:-2] + b"\xff\xda\0\x0c\3" * 1_000 + data[-2:], "x")


@pytest.mark.parametrize(
    "data",
    [
        png(9, 9, (b"tEXt", b"x" * 9)).replace(b"\0\0\0\x09tEXt", b"\x7f\xff\xff\xfftEXt"),
        png(0, 9),
        jpeg(0, 9),
        b"\xff\xd8\xff\xd9" + jpeg(9, 9),
        b"BM" + bytes(12) + struct.pack("<Iii", 40, -9, 9),
        siz(9, 9, 0),
        b"P6\n-9 9\n255\n",
        b"GIF89a\1\0",
        b"II*\0\xff\xff\xff\xff",
    ],
    ids=["chunk", "png", "jpeg", "end", "bmp", "jpeg2000", "pnm", "gif", "tiff"],
)
def test_what_no_header_can_say_is_damage(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(SourceError, match="damaged or cut short"):
        decode_bytes(data, "x")


@pytest.mark.parametrize("name", ["gap.jpg", "chunk.png", "stream.jpg"])
def test_bombs_from_every_side(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    path = CASES / "bomb-picture-headers" / name
    reason = "damaged" if name == "chunk.png" else "30,000×30,000 pixels is more than"
    for read in (lambda: maskdet.predict(path.read_bytes()), lambda: look_at(path), lambda: look_at(path, thumb=True)):
        with pytest.raises(SourceError, match=reason):
            read()


def test_the_limit_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    data = png(11_000, 11_000)
    with pytest.raises(SourceError, match="11,000×11,000 pixels is more than the 120 megapixels read"):
        check_header(data, "x")
    monkeypatch.setenv("MASKDET_MAX_MEGAPIXELS", "200")
    assert check_header(data, "x").memory == 11_000 * 11_000 * 6
    assert max_decoding_bytes() == 1_200_000_000
    monkeypatch.setenv("MASKDET_MAX_MEGAPIXELS", "many")
    assert max_decoding_bytes() == 720_000_000


@given(name=st.sampled_from(sorted(SOUND)), data=st.data())
def test_damaged_headers_raise_nothing_else(name: str, data: st.DataObject) -> None:
    sound = bytearray(SOUND[name]())
    for _ in range(data.draw(st.integers(1, 6))):
        sound[data.draw(st.integers(0, min(len(sound), 400) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(sound)))
    try:
        header = read_picture_header(bytes(sound[:cut]))
    except DamagedHeaderError:
        return
    assert header is None or min(header.size) >= 1
