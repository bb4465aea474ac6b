"""What a file or a server's answer is, told by its first bytes: the one place that decides.

Names and content types say what somebody believed. Decoders and FFmpeg are given only what begins as a kind that they
are meant for: FFmpeg takes some texts (lists of files, playlists) for videos, and reads what they name.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

#: Bytes that tell every kind: three packets of a transport stream with time stamps, beginning anywhere in one.
HEAD_BYTES: Final = 1024

Family = Literal["picture", "video", "frames", "playlist", "other"]


class Kind(NamedTuple):
    """What something is.

    Attributes:
        family: a picture; a video that FFmpeg opens; JPEGs of a recording, one behind another, with heads between; a
            playlist; or something that is none of these.
        name: as messages call it, such as ``PNG`` or ``a ZIP archive``.
        has_end: of a video: its container is that of a file, so that a server that sends it comes to an end.
    """

    family: Family
    name: str
    has_end: bool = True


_PICTURES: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"#?RGBE", "Radiance HDR"),
    (b"\x59\xa6\x6a\x95", "Sun raster"),
    (b"P7\n", "PAM"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"8BPS", "Photoshop"),
)

#: Brands of ISO containers that hold a picture.
_BRANDS: Final = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"),
}

_VIDEOS: Final = (
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video", True),
    (b"OggS", "an Ogg file", True),
    (b"0&\xb2u\x8ef\xcf\x11", "an ASF or WMV video", True),
    (b"\x06\x0e+4\x02\x05\x01\x01", "an MXF video", True),
    (b"DKIF", "an IVF video", True),
    (b"YUV4MPEG2 ", "a Y4M video", True),
    (b"nut/multimedia container\0", "a NUT video", True),
    (b".RMF", "a RealMedia video", True),
    (b"FLV\x01", "an FLV video", False),
    (b"DHAV", "a DAV video", False),
)

#: Boxes that a QuickTime file may begin with; newer ones begin with ``ftyp``.
_QUICKTIME: Final = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof"})

_OTHERS: Final = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "gzip-compressed data"),
    (b"BZh", "bzip2-compressed data"),
    (b"\xfd7zXZ\0", "xz-compressed data"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3\0", "a database"),
    (b"ID3", "a sound file"),
    (b"fLaC", "a sound file"),
)

#: Texts in small letters, without what may stand before them.
# Patterns are compiled where they are asked for: of most files the first bytes say enough.
_TEXTS: Final[tuple[tuple[bytes, Family, str], ...]] = (
    (rb"#extm3u", "playlist", "a playlist"),
    (rb"(<\?xml.*)?<mpd", "playlist", "a DASH playlist"),
    (rb"ffconcat", "other", "a list of files for FFmpeg"),
    (rb"v=0|\[playlist\]", "other", "a description of a stream"),
    (rb"<!doctype html|<html", "other", "an HTML page"),
    (rb"(<\?xml.*)?<svg", "other", "an SVG drawing"),
    (rb"<", "other", "XML"),
)

_PNM: Final = rb"P[1-6][\s#]"
_PFM: Final = rb"P[Ff]\s"
_MULTIPART: Final = rb"\s*--[^\r\n]{1,200}\r?\n(?:[^\r\n]+\r?\n)*?Content-Type: *image/"
_START_CODE: Final = rb"\0{2,}\x01(.)(.)"


def kind_of(head: bytes) -> Kind:
    """Tell what begins with these bytes, of which ``HEAD_BYTES`` are enough."""
    picture = picture_kind(head)
    return Kind("picture", picture) if picture is not None else _video(head) or _other(head)


def picture_kind(head: bytes) -> str | None:
    """Return the kind of a picture, whether OpenCV reads it or not; None for anything else."""
    for start, name in _PICTURES:
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp":
        # The first brand is the main one; some writers put a general one there and the real one behind it.
        brands = [
            head[8:12],
            *(head[at : at + 4] for at in range(16, min(len(head), int.from_bytes(head[:4], "big")), 4)),
        ]
        if brands[0] in _BRANDS:
            return next((_BRANDS[brand] for brand in (b"avif", b"avis") if brand in brands), _BRANDS[brands[0]])
    # Bitmaps have no more than two letters; their first header's length is that of a kind that exists.
    if (
        head[:2] == b"BM"
        and len(head) >= 18
        and int.from_bytes(head[14:18], "little") in {12, 16, 40, 52, 56, 64, 108, 124}
    ):
        return "BMP"
    if re.match(_PNM, head):
        return "PNM"
    return "PFM" if re.match(_PFM, head) else None


def _video(head: bytes) -> Kind | None:
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return Kind("video", "an AVI video")
    if head[4:8] in _QUICKTIME:
        return Kind("video", "an MP4 or QuickTime video")
    for start, name, has_end in _VIDEOS:
        if head.startswith(start):
            return Kind("video", name, has_end)
    raw = _elementary(head) or _transport_stream(head)
    return None if raw is None else Kind("video", raw, has_end=False)


def _elementary(head: bytes) -> str | None:
    """Return the name of an MPEG program stream, or of raw MPEG, H.264 or H.265."""
    found = re.match(_START_CODE, head, re.DOTALL)
    if found is None:
        return None
    first = found[1][0]
    if first == 0xBA:
        return "an MPEG program stream"
    if first == 0xB3:
        return "a raw MPEG video"
    # H.265 begins with parameter sets 32 to 34 or a delimiter, 35, in a header of two bytes, the last one 1.
    if found[2][0] == 1 and first in {0x40, 0x42, 0x44, 0x46}:
        return "a raw H.265 video"
    if first & 0x1F in {7, 8, 9} and first < 0x80:  # H.264's parameter sets and delimiter
        return "a raw H.264 video"
    return None


def _transport_stream(head: bytes) -> str | None:
    """Return the name of an MPEG transport stream: a sync byte in each packet, wherever the first one begins."""
    for length in (188, 192, 204):
        for start in range(length):
            at = range(start, len(head), length)
            if len(at) >= 3 and all(head[one] == 0x47 for one in at):
                return "an MPEG transport stream"
    return None


def _other(head: bytes) -> Kind:
    """Tell apart what is neither a picture nor a video."""
    if re.match(_MULTIPART, head, re.IGNORECASE):
        return Kind("frames", "a multipart stream of pictures")
    for start, name in _OTHERS:
        if head.startswith(start):
            return Kind("other", name)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for pattern, family, name in _TEXTS:
        if re.match(pattern, text, re.DOTALL):
            return Kind(family, name)
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return Kind("other", "a text")
    printable = sum(byte >= 0x20 or byte in b"\t\n\r\x0c\x1b" for byte in head)
    return Kind("other", "a text" if head and printable == len(head) and _is_utf8(head) else "unknown data")


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3  # a letter that the head cuts
    return True
