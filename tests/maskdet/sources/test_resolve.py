from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.errors import SourceError
from maskdet.sources import Picture, find_files, is_single, pictures

WritePng = Callable[..., Path]


def test_folder_is_searched_through_in_order(tmp_path: Path, write_png: WritePng) -> None:
    for name in ("b.png", "sub/a.png", ".hidden.png", "a.PNG"):
        write_png(name)
    (tmp_path / "notes.txt").write_text("no picture")
    assert [str(file.relative) for file in find_files(tmp_path)] == ["a.PNG", "b.png", str(Path("sub/a.png"))]


def test_glob_and_a_name_with_brackets(tmp_path: Path, write_png: WritePng) -> None:
    write_png("a1.png")
    write_png("a2.png")
    odd = write_png("a[1].png")
    assert [file.path.name for file in find_files(str(tmp_path / "a?.png"))] == ["a1.png", "a2.png"]
    assert [file.path for file in find_files(odd)] == [odd]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("gone.jpg", "no such file"), ("*.jpg", "no file matches"), ("", "no pictures or videos in this folder")],
)
def test_nothing_to_find(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        find_files(str(tmp_path / name))


def test_a_bad_file_stands_in_its_place(tmp_path: Path, write_png: WritePng) -> None:
    write_png("a.png")
    (tmp_path / "b.png").write_bytes(b"")
    write_png("c.png")
    kinds = [type(item) for item in pictures(tmp_path)]
    assert kinds == [Picture, SourceError, Picture]


def test_memory_sources_agree() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    data = cv2.imencode(".png", image)[1].tobytes()
    pil = pytest.importorskip("PIL.Image").fromarray(image[:, :, ::-1])
    found = list(pictures([image, data, bytearray(data), pil]))
    for item in found:
        assert isinstance(item, Picture)
        np.testing.assert_array_equal(item.pixels, image)
        assert (item.info.path, item.info.width, item.info.height) == (None, 30, 20)


def test_grey_array_is_spread_and_floats_are_refused() -> None:
    (grey,) = pictures(np.full((4, 5), 3, np.uint8))
    assert isinstance(grey, Picture)
    assert grey.pixels.shape == (4, 5, 3)
    (error,) = pictures(np.zeros((4, 5, 3), np.float32))
    assert isinstance(error, SourceError)
    with pytest.raises(TypeError, match="cannot take a picture from float"):
        list(pictures(7.5))


def test_what_is_single(tmp_path: Path, write_png: WritePng) -> None:
    file = write_png()
    assert is_single(file)
    assert is_single(str(tmp_path / "gone.jpg"))
    assert is_single(np.zeros((2, 2, 3), np.uint8))
    assert is_single(b"...")
    assert not is_single(tmp_path)
    assert not is_single([file])
    assert not is_single(str(tmp_path / "*.png"))
    assert not is_single("clip.mp4")
    assert not is_single(0)
    assert not is_single("0")
    assert not is_single("rtsp://cam/1")
    assert is_single("https://example.org/a")  # until the server says that it is a stream
    assert is_single("-")


def test_a_file_named_like_a_webcam_is_the_file(
    tmp_path: Path, write_png: WritePng, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_png("0.png").rename(tmp_path / "0")
    monkeypatch.chdir(tmp_path)
    (picture,) = pictures("0")
    assert isinstance(picture, Picture)
