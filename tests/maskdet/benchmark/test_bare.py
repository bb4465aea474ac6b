from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from maskdet.benchmark.bare import CHUNK, main, tensors, time_bare
from maskdet.benchmark.inputs import (
    DISTINCT,
    SHAPES,
    base_picture,
    originals,
    photo_folder,
    view,
    write_clip,
    write_photos,
)
from maskdet.detector.inference.runtime import ModelSpec
from maskdet.errors import SourceError
from maskdet.imaging.decode import decode_file
from maskdet.sources import Picture, pictures


class Counting:
    """A runtime that notes the shape of what it is given."""

    spec = ModelSpec("counting", 64, 32, True, {})

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.shapes.append(batch.shape)
        return batch


def test_every_input_is_run_once_and_the_first_once_more(write_png: Callable[..., Path]) -> None:
    folder = write_png("set/a.png", (32, 64)).parent
    write_png("set/b.png", (64, 32))
    runtime = Counting()
    seconds, count = time_bare(runtime, tensors(folder, runtime, 64))
    assert count == 2
    assert seconds >= 0
    assert runtime.shapes == [(1, 3, 32, 64), (1, 3, 32, 64), (1, 3, 64, 32)]


def test_more_inputs_than_lie_ready_at_once() -> None:
    runtime = Counting()
    ready = (np.zeros((1, 3, 32, 32), np.float32) for _ in range(CHUNK + 2))
    assert time_bare(runtime, ready)[1] == CHUNK + 2
    assert len(runtime.shapes) == CHUNK + 3


def test_side_by_side_every_input_is_run_as_well() -> None:
    runtime = Counting()
    ready = (np.zeros((1, 3, 32, 32), np.float32) for _ in range(5))
    assert time_bare(runtime, ready, 3)[1] == 5
    assert len(runtime.shapes) == 6


def test_what_cannot_be_read_ends_it_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(SystemExit, match="no such file"):
        main([str(tmp_path), "--weights", str(tmp_path / "none.onnx"), "--runtime", "onnx", "--imgsz", "64"])
    runtime = Counting()
    with pytest.raises(SourceError, match=r"a\.jpg"):
        time_bare(runtime, tensors(tmp_path, runtime, 64))


def test_generated_photos(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "originals", 5)
    sizes = [decode_file(photo).shape[1::-1] for photo in photos]
    assert sizes == [*SHAPES, SHAPES[0]]
    folder = photo_folder(tmp_path / "photos", photos, 7)
    found = sorted(folder.iterdir())
    assert [path.name for path in found] == [f"{number:06d}.jpg" for number in range(7)]
    assert found[5].read_bytes() == photos[0].read_bytes() != photos[1].read_bytes()
    assert len(write_photos(tmp_path / "many", DISTINCT + 3)) == DISTINCT


def test_photos_of_a_folder(tmp_path: Path, write_png: Callable[..., Path]) -> None:
    first = write_png("set/b/1.png")
    second = write_png("set/c.png")
    assert originals(tmp_path / "set", tmp_path / "none", 5) == [first, second]
    assert originals(tmp_path / "set", tmp_path / "none", 1) == [first]
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/a.mp4").write_bytes(b"")
    with pytest.raises(SourceError, match="holds no photos, only videos"):
        originals(tmp_path / "clips", tmp_path / "none", 5)


def test_a_picture_is_drawn_where_there_is_no_example(tmp_path: Path) -> None:
    drawn = base_picture(tmp_path / "none.jpg")
    assert drawn.shape == (285, 1020, 3)
    assert np.array_equal(drawn, base_picture(tmp_path / "none.jpg"))
    assert drawn[140, 130].tolist() == [140, 170, 215]  # the first face's skin
    assert view(drawn, 3, (64, 48)).shape == (48, 64, 3)


def test_a_clip_has_its_frames(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 3, (64, 48))
    frames = [item for item in pictures(clip) if isinstance(item, Picture)]
    assert [frame.pixels.shape for frame in frames] == [(48, 64, 3)] * 3
