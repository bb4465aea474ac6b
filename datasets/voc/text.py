"""From the bytes of an XML file to its text, in whatever encoding it was saved.

The parser knows UTF-8, UTF-16 and Latin-1 and no code page of more than one byte a character; Python knows them. Text
that Python decoded is parsed as text, so that what the file declares no longer counts.
"""

from __future__ import annotations

import codecs
import re
from typing import Final, NamedTuple

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARED: Final = re.compile(rb"""\s*<\?xml[^>]{1,200}?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,40})["']""")
#: Encodings of Python that are no encodings of files, or take quadratic time.
_NO_FILES: Final = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"})


class XmlText(NamedTuple):
    """A file's text, and the encoding it should have had where not all of it could be read, else None."""

    text: str
    broken: str | None = None


def decode_xml(data: bytes) -> XmlText | None:
    """Decode a file by its byte order mark, else by what it declares, else as UTF-8.

    Bytes that do not fit are replaced: what counts in an annotation is nearly always ASCII, in every encoding met.

    Returns:
        The text; None where a byte order mark is followed by something else, which is no text at all.

    Raises:
        LookupError: it declares an encoding that nobody knows.

    >>> decode_xml('<?xml version="1.0" encoding="GBK"?><a>口</a>'.encode("gbk")).text[-6:]
    '>口</a>'
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return XmlText(data.decode(encoding))
            except UnicodeError:
                return None
    declared = _DECLARED.match(data)
    encoding = "utf-8" if declared is None else codecs.lookup(declared[1].decode()).name
    if encoding.replace("_", "-") in _NO_FILES:
        raise LookupError(f"unknown encoding: {encoding}")
    if encoding.startswith(("utf-16", "utf-32")):  # a declaration that could be read as ASCII is wrong
        encoding = "utf-8"
    try:
        return XmlText(data.decode(encoding))
    except UnicodeError:
        pass
    try:
        return XmlText(data.decode())
    except UnicodeError:
        return XmlText(data.decode(encoding, errors="replace"), encoding)
