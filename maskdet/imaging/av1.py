"""The picture size that an AV1 stream in an AVIF file says itself, which counts for the decoder's memory.

AV1 specification, 5.5 (sequence header); ISO 14496-12, 8.11.3 (item locations) and 8.7.5 (chunk offsets).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

#: Type of the OBU (open bitstream unit) that holds a sequence header.
_SEQUENCE_HEADER: Final = 1

#: Units looked at from where an item begins: a delimiter, the sequence header, metadata.
_MOST_UNITS: Final = 8


def sequence_sizes(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the largest (width, height) that the first sequence header of each item or chunk of an AVIF file allows."""
    for start in {*_item_starts(data), *_chunk_starts(data)}:
        at = start
        for _ in range(_MOST_UNITS):
            if at + 2 > len(data):
                break
            kind, extended, sized = data[at] >> 3 & 15, data[at] >> 2 & 1, data[at] >> 1 & 1
            at += 1 + extended
            length, at = _leb128(data, at) if sized else (len(data) - at, at)
            if kind == _SEQUENCE_HEADER:
                yield _sequence_size(data[at : at + min(length, 256)])
                break
            at += length


def _item_starts(data: bytes) -> Iterator[int]:
    for found in re.finditer(b"iloc", data):
        at = found.end()
        version, sizes = data[at], struct.unpack_from(">H", data, at + 4)[0]
        offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
        wide = 4 if version == 2 else 2
        count, at = _number(data, at + 6, wide)
        idat = data.find(b"idat") + 4
        for _ in range(min(count, 1000)):
            at += wide
            method = 0
            if version in {1, 2}:
                method, at = _number(data, at, 2)
            base, at = _number(data, at + 2, base_size)
            extents, at = _number(data, at, 2)
            for extent in range(extents):
                at += index_size if version in {1, 2} else 0
                offset, at = _number(data, at, offset_size)
                at += length_size
                if extent == 0:
                    yield base + offset + (idat if method & 15 == 1 else 0)


def _chunk_starts(data: bytes) -> Iterator[int]:
    for found in re.finditer(b"stco|co64", data):
        wide = 4 if found[0] == b"stco" else 8
        count, at = _number(data, found.end() + 4, 4)
        if count:
            yield _number(data, at, wide)[0]


def _number(data: bytes, at: int, size: int) -> tuple[int, int]:
    """Return a big-endian number and where the next one stands."""
    if at + size > len(data):
        raise IndexError("the data ends within a number")
    return int.from_bytes(data[at : at + size], "big"), at + size


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 56, 7):
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
    return value, at


def _sequence_size(body: bytes) -> tuple[int, int]:
    """Return (width, height) of a sequence header; where frames may override it, the largest that they can say."""
    bits = _Bits(body)
    bits.take(4)  # profile, and that it is a still picture
    reduced = bits.take(1)
    if reduced:
        bits.take(5)
    else:
        _skip_operating_points(bits)
    across_bits, down_bits = bits.take(4) + 1, bits.take(4) + 1
    width, height = bits.take(across_bits) + 1, bits.take(down_bits) + 1
    if not reduced and across_bits > (width - 1).bit_length() and down_bits > (height - 1).bit_length():
        return 1 << across_bits, 1 << down_bits
    return width, height


def _skip_operating_points(bits: _Bits) -> None:
    decoder_model = delay_bits = 0
    if bits.take(1):  # timing
        bits.take(64)
        if bits.take(1):  # equal intervals
            zeros = 0
            while not bits.take(1):
                zeros += 1
            bits.take(zeros)
        decoder_model = bits.take(1)
        if decoder_model:
            delay_bits = bits.take(5) + 1
            bits.take(42)
    initial_delay = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:  # level
            bits.take(1)
        if decoder_model and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if initial_delay and bits.take(1):
            bits.take(4)


class _Bits:
    """Bits of a sequence header, the highest first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "big"), len(data) * 8

    def take(self, count: int) -> int:
        if count > self._left:
            raise IndexError("the data ends within a number")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)
