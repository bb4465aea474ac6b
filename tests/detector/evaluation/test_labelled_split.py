from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.labelled_split import read_split
from maskdet.errors import AnnotationError, DatasetError, MaskdetError, SourceError

NAMES = "names: [with_mask, without_mask, mask_weared_incorrect]\n"

#: Makes a data set below tmp_path: photos of 100 × 50 px, one label text each (None for no file).
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, write_png: Callable[..., Path]) -> Make:
    def build(labels: dict[str, str | None], head: str = "val: images/val\n", names: str = NAMES) -> Path:
        for stem, text in labels.items():
            write_png(f"images/val/{stem}.png", size=(50, 100))
            if text is not None:
                path = tmp_path / "labels" / "val" / f"{stem}.txt"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        (tmp_path / "data.yaml").write_text(head + names, encoding="utf-8")
        return tmp_path / "data.yaml"

    return build


def test_boxes_are_pixels_of_the_photo(make: Make, tmp_path: Path) -> None:
    split = read_split(make({"b": "2 0.5 0.5 0.2 0.4\n0 0.25 0.5 0.1 0.2\n", "a": None, "c": ""}))
    assert split.data == f"{tmp_path.name}/data.yaml"
    assert [photo.stem for photo in split.photos] == ["a", "b", "c"]
    assert [len(truth.boxes) for truth in split.truths] == [0, 2, 0]
    assert split.truths[1].class_ids.tolist() == [2, 0]
    assert split.truths[1].boxes.tolist() == [pytest.approx([40, 15, 60, 35]), pytest.approx([20, 20, 30, 30])]


def test_a_folder_stands_for_its_data_yaml(make: Make) -> None:
    path = make({"a": "0 0.5 0.5 0.5 0.5\n"})
    assert read_split(path.parent).photos == read_split(path).photos


@pytest.mark.parametrize("head", ["val: [images/val]\n", "path: .\nval: images/val\n", "val: list.txt\n"])
def test_a_split_may_be_a_list_of_folders_or_a_list_file(make: Make, tmp_path: Path, head: str) -> None:
    (tmp_path / "list.txt").write_text("./images/val/a.png\n", encoding="utf-8")
    split = read_split(make({"a": "0 0.5 0.5 0.5 0.5\n"}, head))
    assert [photo.resolve() for photo in split.photos] == [(tmp_path / "images" / "val" / "a.png").resolve()]
    assert len(split.truths[0].boxes) == 1


def test_a_repeated_line_counts_once_and_is_reported(make: Make) -> None:
    split = read_split(make({"a": "1 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.5 0.5\n1 0.5 0.5 0.5 0.5\n"}))
    assert split.truths[0].class_ids.tolist() == [1, 0]
    assert split.repeated == 1


def test_a_line_without_area_is_no_face_and_is_reported(make: Make) -> None:
    split = read_split(make({"a": "1 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.0 0.5\n"}))
    assert split.truths[0].class_ids.tolist() == [1]
    assert split.empty == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("3 0.5 0.5 0.5 0.5", "class 3: the last one is 2"),
        ("0 50 25 10 10", "must be shares"),
        ("0 0.5 0.5 -0.001 0.5", "must not be negative"),
        ("0 0.5 0.5 0.5", "five numbers"),
    ],
)
def test_a_bad_line_is_named(make: Make, line: str, message: str) -> None:
    with pytest.raises(AnnotationError, match=message) as caught:
        read_split(make({"a": f"0 0.5 0.5 0.5 0.5\n{line}\n"}))
    assert caught.value.line == 2
    assert "a.txt:2" in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "head", "names", "message"),
    [
        ({"a": "0 0.5 0.5 0.5 0.5\n"}, "train: images/val\n", NAMES, "no split 'val'; it has train"),
        ({"a": "0 0.5 0.5 0.5 0.5\n"}, "val: images/none\n", NAMES, "does not exist"),
        (
            {"a": "0 0.5 0.5 0.5 0.5\n"},
            "val: images/val\n",
            "names: [helmet, no_mask]\n",
            "its classes are helmet, no_mask",
        ),
        ({"a": None, "b": ""}, "val: images/val\n", NAMES, "no labelled faces"),
        ({"a": ""}, "val: labels/val\n", NAMES, "has no photos"),
    ],
)
def test_an_unusable_data_set_is_one_line(
    make: Make, labels: dict[str, str | None], head: str, names: str, message: str
) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        read_split(make(labels, head, names))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("order", ["[without_mask, with_mask, mask_weared_incorrect]", "[No Mask, mask]"])
def test_classes_are_matched_by_name(make: Make, order: str) -> None:
    (truth,) = read_split(make({"a": "0 0.5 0.5 0.5 0.5\n1 0.2 0.2 0.1 0.1\n"}, names=f"names: {order}\n")).truths
    assert truth.class_ids.tolist() == [1, 0]


def test_classes_that_cannot_be_matched_are_refused(make: Make) -> None:
    for names in ("[helmet, mask]", "[mask, with_mask]"):
        with pytest.raises(DatasetError, match="scoring needs names of with_mask"):
            read_split(make({"a": "0 0.5 0.5 0.5 0.5\n"}, names=f"names: {names}\n"))


def test_missing_files_are_named(make: Make, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such file"):
        read_split(tmp_path / "none.yaml")
    path = make({"a": "0 0.5 0.5 0.5 0.5\n"})
    (tmp_path / "images" / "val" / "a.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"a\.png"):
        read_split(path)
    assert issubclass(SourceError, MaskdetError)


def test_same_boxes_as_ultralytics_reads(make: Make) -> None:
    np = pytest.importorskip("numpy")
    utils = pytest.importorskip("ultralytics.data.utils")
    split = read_split(make({"a": "0 0.501234 0.4 0.123456 0.2\n2 1.0 0.5 0.005 0.5\n0 0.501234 0.4 0.123456 0.2\n"}))
    photo = str(split.photos[0])
    _, rows, shape, *_ = utils.verify_image_label((photo, utils.img2label_paths([photo])[0], "", False, 3, 0, 0, False))
    height, width = shape
    centre, side = rows[:, 1:3] * [width, height], rows[:, 3:] * [width, height]
    expected = np.concatenate([centre - side / 2, centre + side / 2], axis=1)
    assert np.allclose(split.truths[0].boxes, expected, atol=1e-4)
    assert split.truths[0].class_ids.tolist() == rows[:, 0].astype(int).tolist()


def test_other_classes_are_kept_where_they_are_asked_for(make: Make) -> None:
    path = make({"a": "0 0.5 0.5 0.5 0.5\n1 0.2 0.2 0.1 0.1\n"}, names="names: [helmet, head]\n")
    split = read_split(path, any_classes=True)
    assert split.names == ("helmet", "head")
    assert split.truths[0].class_ids.tolist() == [0, 1]
    assert split.spelled_as(("head", "helmet")) is split


def test_a_model_of_the_same_words_is_scored_in_its_own(make: Make) -> None:
    split = read_split(make({"a": "0 0.5 0.5 0.5 0.5\n1 0.2 0.2 0.1 0.1\n"}, names="names: [no_mask, mask]\n"))
    assert (split.names, split.truths[0].class_ids.tolist()) == (CLASS_NAMES, [1, 0])
    own = split.spelled_as(("mask", "no_mask"))
    assert (own.names, own.truths[0].class_ids.tolist()) == (("mask", "no_mask"), [1, 0])
    assert split.spelled_as(CLASS_NAMES) is split
