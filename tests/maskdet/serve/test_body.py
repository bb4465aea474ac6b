from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from maskdet.serve.body import MOST_PARTS, Part, take_parts, take_pictures
from maskdet.serve.problems import ProblemError

Client = Callable[..., TestClient]
JPEG = {"Content-Type": "image/jpeg"}


def png(width: int, height: int) -> bytes:
    """Return the beginning of a PNG that claims a size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    end = b"IEND"
    return b"\x89PNG\r\n\x1a\n" + chunks + struct.pack(">I", 0) + end + struct.pack(">I", zlib.crc32(end))


def test_a_body_is_counted_whatever_it_says_of_its_length(client: Client, jpeg: bytes) -> None:
    server = client(max_body=len(jpeg))

    def pieces() -> Iterator[bytes]:
        yield jpeg
        yield b"x"

    assert server.post("/v1/detect", content=jpeg, headers=JPEG).status_code == 200
    for content in (jpeg + b"x", pieces()):  # with a length, and in chunks of none
        answer = server.post("/v1/detect", content=content, headers=JPEG)
        assert answer.status_code == 413
        assert answer.json()["detail"] == f"the body is larger than the {len(jpeg):,} bytes that are read"


def test_pixels_are_counted_before_anything_is_decoded(client: Client) -> None:
    answer = client().post("/v1/detect", content=png(40_000, 40_000), headers={"Content-Type": "image/png"})
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("40,000×40,000 pixels is more than the 120 megapixels read")


@pytest.mark.parametrize(
    ("kind", "body", "status", "sentence"),
    [
        ("image/jpeg", b"", 400, "the body is empty"),
        ("image/jpeg", b"\xff\xd8\xff", 400, "damaged or cut short"),
        ("image/png", b"text", 400, "not a picture that can be read, but a text"),
        ("text/plain", b"text", 415, "text/plain is not read"),
        ("application/json", b"{", 400, "the body is not JSON"),
        ("application/json", b'{"a":' + b"[" * 40_000, 400, "the body is not JSON"),
        ("application/json", b'{"a":' + b"[" * 60_000, 413, "the JSON has more than the 50,000 members"),
        ("application/json", b"[]", 400, "the body is no JSON object"),
        ("application/json", b"{}", 400, "the JSON has no member 'image'"),
        ("application/json", b'{"image": "***"}', 400, "image: not base64"),
        ("application/json", b'{"image": "http://10.0.0.1/a.jpg"}', 400, "image: addresses are not fetched"),
        ("multipart/form-data", b"--x--", 400, "the form names no boundary"),
        ("multipart/form-data; boundary=x", b"--y", 400, "the form is damaged or cut short"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", 400, "the form has no file"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nbegun", 400, "the form is damaged or cut short"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    client: Client, kind: str, body: bytes, status: int, sentence: str
) -> None:
    answer = client().post("/v1/detect", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(sentence)
    assert "\n" not in answer.json()["detail"]


def test_compressed_bodies_are_not_unpacked(client: Client, jpeg: bytes) -> None:
    answer = client().post("/v1/detect", content=jpeg, headers={**JPEG, "Content-Encoding": "gzip"})
    assert answer.status_code == 415


def test_nothing_is_written_to_disk(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    server = client()
    server.get("/healthz")
    monkeypatch.setattr(tempfile, "_mkstemp_inner", None)  # whoever made a file would fail
    large = png(10, 10) + bytes(3_000_000)  # above the size at which forms are spooled
    answer = server.post("/v1/detect", files={"file": ("a.png", large)})
    assert answer.json()["detail"] == "a.png: damaged or cut short"


def form(parts: list[tuple[str, str | None, bytes]], boundary: bytes = b"seam") -> bytes:
    body = b""
    for name, filename, data in parts:
        file = b"" if filename is None else b'; filename="' + filename.encode() + b'"'
        body += b"--" + boundary + b'\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + file
        body += b"\r\n\r\n" + data + b"\r\n"
    return body + b"--" + boundary + b"--\r\n"


def test_parts_of_a_form() -> None:
    sent = form([("file", "..\\photos/a.jpg", b"one"), ("note", None, b"two\r\n--sea"), ("file", "", b"")])
    assert take_parts("multipart/form-data; boundary=seam", sent) == [
        Part("file", b"one", "a.jpg"),
        Part("note", b"two\r\n--sea"),
        Part("file", b"", ""),
    ]


def test_a_form_has_a_limited_number_of_parts() -> None:
    sent = form([("a", None, b"")] * (MOST_PARTS + 1))
    with pytest.raises(ProblemError, match=f"more than the {MOST_PARTS} parts"):
        take_parts("multipart/form-data; boundary=seam", sent)


@given(st.binary(max_size=300), st.sampled_from(["multipart/form-data; boundary=seam", "application/json", "x", ""]))
def test_no_body_is_more_than_a_problem(body: bytes, kind: str) -> None:
    for sent in (body, b"--seam\r\n" + body + b"\r\n--seam--", form([("file", "a", body)])[: len(body) + 60]):
        try:
            parts = take_pictures(kind, sent)
        except ProblemError as problem:
            assert problem.status in {400, 413, 415}
        else:
            assert all(isinstance(part.data, bytes) for part in parts)
