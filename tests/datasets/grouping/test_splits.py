from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.datasets.convert import ConvertOptions, convert
from maskdet.datasets.grouping.groups import merge_groups, read_groups, series_links
from maskdet.datasets.grouping.splits import public_val_names, split_grouped, split_public
from maskdet.datasets.photos.photo import Photo
from maskdet.datasets.photos.picture_file import Picture
from maskdet.datasets.voc.division import split_by_lists
from maskdet.datasets.voc.layout import Layout
from maskdet.errors import DatasetError

ROOT = Path("set")
PINNED = ["maksssksksss105.xml", "maksssksksss107.xml", "maksssksksss11.xml", "maksssksksss113.xml"]


def photo(name: str, ids: tuple[int, ...] = (), size: tuple[int, int] = (40, 30)) -> Photo:
    picture = Picture(ROOT / f"{Path(name).stem}.jpg", size, size)
    return Photo(name, picture, np.array(ids, dtype=np.int64), np.zeros((len(ids), 4)))


def test_public_list_is_the_published_one() -> None:
    names = public_val_names()
    assert len(names) == 170
    # Pinned so that a change of the rule, or of Python's shuffle, shows without the data.
    assert sorted(names)[:4] == PINNED


def test_public_split_refuses_strangers() -> None:
    assert split_public(ROOT, [photo("maksssksksss0.xml")]) in (["train"], ["val"])
    with pytest.raises(DatasetError, match=r"mine.xml is not on it"):
        split_public(ROOT, [photo("maksssksksss0.xml"), photo("mine.xml")])


def test_merge_groups_numbers_by_first_member() -> None:
    assert merge_groups(6, [(4, 1), (5, 4), (2, 2)]) == [0, 1, 2, 3, 1, 1]


def test_series_needs_name_and_size_together() -> None:
    photos = [
        photo("maksssksksss1.xml", size=(301, 400)),
        photo("maksssksksss2.xml", size=(400, 301)),
        photo("selfie3.xml", size=(301, 400)),
        photo("maksssksksss4.xml", size=(301, 400)),
    ]
    assert series_links(photos) == [(0, 3)]
    assert series_links(photos[1:3]) == []


def test_groups_file(tmp_path: Path) -> None:
    photos = [photo(f"p {number} é.xml") for number in range(4)]
    path = tmp_path / "groups.csv"
    path.write_text("name,group\np 0 é,A\np 2 é.jpg, A\n\np 3 é.xml,B\n", encoding="utf-8")
    assert merge_groups(4, read_groups(path, photos)) == [0, 1, 0, 2]


@pytest.mark.parametrize(
    ("text", "words"), [("x,A\n", ":1: no photo is called 'x'"), ("name,group\np0\n", ":2: expected two columns")]
)
def test_bad_groups_file(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "groups.csv"
    path.write_text(text)
    with pytest.raises(DatasetError, match=words):
        read_groups(path, [photo("p0.xml")])
    with pytest.raises(DatasetError, match="cannot be read"):
        read_groups(tmp_path / "none.csv", [])


photos_and_groups = st.lists(
    st.tuples(st.lists(st.integers(0, 2), max_size=6), st.integers(0, 15)), min_size=4, max_size=40
)


@given(photos_and_groups, st.integers(2, 4), st.integers(0, 3))
def test_groups_stay_whole_and_no_part_is_empty(drawn: list[tuple[list[int], int]], parts: int, seed: int) -> None:
    photos = [photo(f"p{at}.xml", tuple(ids)) for at, (ids, _) in enumerate(drawn)]
    first: dict[int, int] = {}
    groups = merge_groups(len(photos), [(first.setdefault(group, at), at) for at, (_, group) in enumerate(drawn)])
    shares = [1 / parts] * parts
    if max(groups) + 1 < parts:
        with pytest.raises(DatasetError, match="cannot fill"):
            split_grouped(ROOT, photos, groups, shares, seed)
        return
    split = split_grouped(ROOT, photos, groups, shares, seed)
    assert set(split) == set(range(parts))
    assert len({(group, part) for group, part in zip(groups, split, strict=True)}) == max(groups) + 1
    assert split == split_grouped(ROOT, photos, groups, shares, seed)


def test_classes_are_balanced() -> None:
    rng = np.random.default_rng(0)
    photos = [photo(f"p{at}.xml", tuple(rng.choice(3, 5, p=[0.8, 0.17, 0.03]).tolist())) for at in range(400)]
    split = split_grouped(ROOT, photos, list(range(400)), [0.8, 0.2], seed=0)
    val = [member for member, part in zip(photos, split, strict=True) if part == 1]
    assert abs(len(val) - 80) <= 2
    total = Counter(index for member in photos for index in member.class_ids.tolist())
    held = Counter(index for member in val for index in member.class_ids.tolist())
    for index in range(3):
        assert abs(held[index] - total[index] * 0.2) <= 2


def test_the_grouped_split_of_the_public_data_stays(real_data: Path, tmp_path: Path) -> None:
    convert(real_data, tmp_path / "grouped", ConvertOptions(split="grouped", quiet=True))
    names = sorted(path.stem for path in (tmp_path / "grouped/images/val").iterdir())
    # As it was divided when the first detectors were trained on it.
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()
    assert (len(names), digest) == (170, "a18fa1852922da32f74896f770029a6390b006ecf2aed64500624fec303986f1")


def test_seed_changes_the_choice() -> None:
    photos = [photo(f"p{at}.xml", (0, 1)) for at in range(30)]
    splits = {tuple(split_grouped(ROOT, photos, list(range(30)), [0.8, 0.2], seed)) for seed in range(4)}
    assert len(splits) > 1


def lists(tmp_path: Path, **texts: str) -> Layout:
    folder = tmp_path / "ImageSets" / "Main"
    folder.mkdir(parents=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    return Layout("voc", tmp_path / "Annotations", tmp_path / "JPEGImages", folder)


def test_lists(tmp_path: Path) -> None:
    layout = lists(tmp_path, train="a\nb\n", val="c \n\n", test="d", trainval="a\nb\nc")
    photos = [photo(f"{name}.xml") for name in "abcde"]
    assert split_by_lists(layout, photos) == (["train", "train", "val", "test", None], [])


def test_bad_lists(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"a stands in train.txt too"):
        split_by_lists(lists(tmp_path / "1", train="a", val="a"), [photo("a.xml")])
    with pytest.raises(DatasetError, match=r"val.txt: no such list"):
        split_by_lists(lists(tmp_path / "2", train="a"), [])
    with pytest.raises(DatasetError, match="no ImageSets/Main"):
        split_by_lists(Layout("kaggle", tmp_path / "annotations", tmp_path), [])
