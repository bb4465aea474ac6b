"""Text from outside as it may be shown: file names, class names and messages of libraries cannot steer a terminal."""

from __future__ import annotations

import re
from typing import Final

#: C0 and C1 controls with DEL, line and paragraph separators, what turns the direction of writing, the invisible mark
#: of byte order, tag characters, and the halves that stand for bytes which are no UTF-8.
_UNSAFE: Final = (
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)

_SHORT: Final = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

#: Bytes that a part of a path can have on the usual file systems, and a whole path; a longer one is no file.
_PART_BYTES: Final = 255
_PATH_BYTES: Final = 4096


def printable(text: str) -> str:
    r"""Return a text with its control characters escaped, always one line; it stays as it is where there are none.

    >>> printable("e\x1b[31mred\n.jpg")
    'e\\x1b[31mred\\n.jpg'
    >>> printable("caf\udce9.jpg"), printable("写真.jpg")
    ('caf\\xe9.jpg', '写真.jpg')
    """
    return text if text.isascii() and text.isprintable() else re.sub(_UNSAFE, _escape, text)


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is no UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def shortened(path: str) -> str:
    """Return a path for a message: parts too long for any file system are cut in the middle.

    >>> shortened("photos/a.jpg")
    'photos/a.jpg'
    >>> shortened("a" * 300)
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…aaaaaaaaaaaaaaaaaaaa'
    """
    if len(path) <= _PART_BYTES // 4:
        return path
    parts = [
        f"{part[:40]}…{part[-20:]}" if len(part.encode(errors="replace")) > _PART_BYTES else part
        for part in path.split("/")
    ]
    whole = "/".join(parts)
    return f"{whole[:80]}…{whole[-40:]}" if len(whole) > _PATH_BYTES // 4 else whole
