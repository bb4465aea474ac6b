from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from maskdet.results import ImageInfo
from maskdet.sources import Picture
from maskdet.writers.naming import OutputNames

MakePicture = Callable[..., Picture]


def names(make_picture: MakePicture, *pictures: tuple[str, str, int | None]) -> list[str]:
    """Return the name of each picture, given as (path, relative, frame)."""
    namer = OutputNames()
    return [namer.name(make_picture(*picture)).as_posix() for picture in pictures]


def test_a_name_is_the_pictures_own_in_its_folder(make_picture: MakePicture) -> None:
    found = names(make_picture, ("p/a.jpg", "a.jpg", None), ("p/d/a.b.png", "d/a.b.png", None), ("p/c", "c", None))
    assert found == ["a", "d/a.b", "c"]


def test_the_same_name_from_elsewhere_gets_a_number(make_picture: MakePicture) -> None:
    found = names(
        make_picture,
        ("x/a.jpg", "a.jpg", None),
        ("y/a.jpg", "a.jpg", None),
        ("x/a.png", "a.png", None),  # would share a.txt
        ("x/A.jpg", "A.jpg", None),  # would share a.txt on many file systems
        ("x/a-2.jpg", "a-2.jpg", None),  # its own name is taken by then
    )
    assert found == ["a", "a-2", "a-3", "A-4", "a-2-2"]


def test_frames_carry_their_number(make_picture: MakePicture) -> None:
    found = names(
        make_picture,
        ("v/clip.mp4", "clip.mp4", 0),
        ("v/clip.mp4", "clip.mp4", 12),
        ("w/clip.avi", "clip.avi", 12),
        ("v/clip.mp4", "clip.mp4", 1_234_567),
        ("w/clip.avi", "clip.avi", 13),
        ("v/clip.jpg", "clip.jpg", None),  # shares no file with a frame
    )
    assert found == ["clip_000000", "clip_000012", "clip-2_000012", "clip_1234567", "clip-2_000013", "clip"]


def test_a_picture_that_is_called_like_a_frame(make_picture: MakePicture) -> None:
    picture, frame = ("p/clip_000012.jpg", "clip_000012.jpg", None), ("v/clip.mp4", "clip.mp4", 12)
    assert names(make_picture, picture, frame) == ["clip_000012", "clip-2_000012"]
    assert names(make_picture, frame, picture) == ["clip_000012", "clip_000012-2"]


PLACES = st.sampled_from(["a.jpg", "A.png", "a-2.jpg", "a_000001.jpg", "a.mp4", "d/a.jpg", "a_000001_000001.jpg"])


@given(st.lists(st.tuples(st.sampled_from(["x", "y"]), PLACES, st.none() | st.integers(0, 2)), max_size=12))
def test_no_two_pictures_share_a_name(items: list[tuple[str, str, int | None]]) -> None:
    namer, seen = OutputNames(), {}
    for at, (folder, place, frame) in enumerate(items):
        info = ImageInfo(f"{folder}/{place}", 1, 1, frame)
        name = namer.name(Picture(np.zeros((1, 1, 3), np.uint8), info, Path(place))).as_posix().casefold()
        # The same frame asked for twice is the same frame; anything else is new.
        owner = (folder, place, frame) if frame is not None else at
        assert seen.setdefault(name, owner) == owner
