"""Changes to a valid file: of its bytes, of its text, of its numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

#: Numbers where readers break, as text.
NUMBERS: Final = (
    "0", "-0", "1", "-1", "2", "3", "255", "256", "65535", "65536", "2147483647", "2147483648", "4294967296", "-2147483649",
    "9223372036854775807", "9223372036854775808", "99999999999999999999999", "1" + "0" * 400, "9" * 5000, "0.5", "1.0000001",
    "-0.0001", "1e-320", "1e308", "1e309", "-1e999", "nan", "NaN", "inf", "Infinity", "-Infinity", "0x10", "1_000", "1,5",
    "1.5.2", " 7 ", "7px", "", "null", "None", "true", "٣", "½", "1e", "++1", "0o7", "1:30", "2020-01-01",
)  # fmt: skip

#: Whole numbers where binary readers break.
WORDS: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0, 0x10000)

#: What text may hold and nobody expects.
ODD: Final = (
    "\x00", "\x1b[2J", "\x1b]0;owned\x07", "\r", "\n\n", "\x85", "\u2028", "\u202e", "\ufeff", "\ud800", "😀", "é", "\t",
    "%s%n", "{0}", "../" * 8, "/etc/passwd", "=1+1", "'; --", '"', "<", "&", "]]>", "\\", "\x7f", "#", "|", "~", "$HOME", "*",
)  # fmt: skip

ENCODINGS: Final = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252", "utf-7", "shift_jis", "cp037")

_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")


def mutate_bytes(random: Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Return ``data`` after one to four changes; ``others`` are files that parts may come from."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3, 4))):
        if not changed:
            return bytes(changed)
        random.choice(_OF_BYTES)(random, changed, others)
    return bytes(changed)


def _span(random: Random, data: bytearray) -> tuple[int, int]:
    start = random.randrange(len(data))
    return start, min(len(data), start + random.choice((1, 2, 4, 8, 64, 512, len(data))))


def _place(random: Random, data: bytearray) -> int:
    """Return a place, half the time in the first 64 bytes, where headers are."""
    return random.randrange(min(len(data), 64) if random.random() < 0.5 else len(data))


def _flip(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    for _ in range(random.choice((1, 1, 4, 32))):
        data[_place(random, data)] ^= 1 << random.randrange(8)


def _word(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    size = random.choice((1, 2, 4, 4, 8))
    value = random.choice(WORDS) & ((1 << 8 * size) - 1)
    at = _place(random, data)
    data[at : at + size] = value.to_bytes(size, random.choice(("big", "little")))


def _cut(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    del data[random.choice((random.randrange(len(data)), min(len(data), random.randrange(64)), len(data) - 1)) :]


def _delete(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    start, end = _span(random, data)
    del data[start:end]


def _repeat(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    start, end = _span(random, data)
    times = min(random.choice((1, 2, 10, 1000)), 200_000 // (end - start) + 1)
    data[end:end] = data[start:end] * times


def _splice(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    other = random.choice(others) if others else random.randbytes(64)
    if not other:
        return
    start = random.randrange(len(other))
    at = random.randrange(len(data))
    data[at : random.choice((at, len(data)))] = other[start : start + random.choice((8, 256, len(other)))]


def _noise(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    start, end = _span(random, data)
    data[start:end] = random.choice((bytes(end - start), b"\xff" * (end - start), random.randbytes(end - start)))


def _append(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    data += random.choice((b"\x00" * 4096, random.randbytes(512), bytes(data)))


_OF_BYTES: Final[tuple[Callable[[Random, bytearray, Sequence[bytes]], None], ...]] = (
    _flip, _flip, _word, _word, _cut, _delete, _repeat, _splice, _noise, _append,
)  # fmt: skip


def mutate_text(random: Random, text: str) -> bytes:
    """Return a text file's bytes after changes to its numbers, lines, letters or encoding."""
    for _ in range(random.choice((1, 1, 2, 3))):
        text = random.choice(_OF_TEXT)(random, text)
    if random.random() < 0.08:
        return text.encode(random.choice(ENCODINGS), errors="replace")
    data = text.encode("utf-8", errors="surrogatepass")
    return mutate_bytes(random, data) if random.random() < 0.08 else data


def _numbers(random: Random, text: str) -> str:
    found = list(_NUMBER.finditer(text))
    if not found:
        return text + random.choice(NUMBERS)
    for match in reversed(random.sample(found, min(len(found), random.choice((1, 1, 2, 8))))):
        text = text[: match.start()] + random.choice(NUMBERS) + text[match.end() :]
    return text


def _odd(random: Random, text: str) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(ODD) * random.choice((1, 1, 3)) + text[at:]


def _lines(random: Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = random.randrange(len(lines))
    way = random.randrange(5)
    if way == 0:
        del lines[at]
    elif way == 1:
        lines[at:at] = [lines[at]] * random.choice((1, 5, 300))
    elif way == 2:
        random.shuffle(lines)
    elif way == 3:
        lines[at] = lines[at].replace("\n", random.choice(("\r", "\r\n", "", " ")))
    else:
        lines[at] = " " * random.choice((1, 4)) + lines[at]
    return "".join(lines)


def _span_of_text(random: Random, text: str) -> str:
    start = random.randrange(len(text) + 1)
    end = start + random.choice((1, 3, 20, len(text)))
    return random.choice((text[:start], text[:start] + text[end:], text[:end] + text[start:end] * 3 + text[end:]))


def _swap(random: Random, text: str) -> str:
    words = re.findall(r"\w+", text)
    if len(words) < 2:
        return text
    first, second = random.sample(words, 2)
    return text.replace(first, second, random.choice((1, -1)))


_OF_TEXT: Final = (_numbers, _numbers, _numbers, _odd, _lines, _lines, _span_of_text, _swap)
