"""The view of ``maskdet`` beside ultralytics' own: same photos, same boxes, same classes, same ignored files."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskdet.datasets.yolo.data_yaml import read_data_yaml
from maskdet.datasets.yolo.labels import label_path, read_labels
from maskdet.datasets.yolo.read import LabelledPicture, read_pictures
from maskdet.errors import AnnotationError, DatasetError, SourceError

NAMES = "names: [with_mask, without_mask, mask_weared_incorrect]\n"
VAL = "train: images/train\nval: images/val\n"

NOISE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


def encoded(suffix: str, shape: tuple[int, int] = (40, 50)) -> bytes:
    return bytes(cv2.imencode(suffix, NOISE[: shape[0], : shape[1]])[1].tobytes())


@pytest.fixture
def quiet_ultralytics(monkeypatch: pytest.MonkeyPatch) -> None:
    utils = pytest.importorskip("ultralytics.data.utils")
    monkeypatch.setattr(utils, "check_font", lambda *_: None)  # it would fetch one for names beyond ASCII


def their_description(file: str) -> tuple[list[str], dict[str, list[str]]] | None:
    """Return what ultralytics makes of a description: names, and the photos of each split; None for an error."""
    from ultralytics.data.base import BaseDataset
    from ultralytics.data.utils import check_det_dataset

    try:
        data = check_det_dataset(file, autodownload=False, split="val")
        reader = BaseDataset.__new__(BaseDataset)
        reader.prefix, reader.fraction = "", 1.0
        photos = {split: reader.get_img_files(data[split]) for split in ("train", "val", "test") if data.get(split)}
    except (SyntaxError, TypeError, ValueError, KeyError, OverflowError, FileNotFoundError, AssertionError):
        return None
    return [data["names"][index] for index in range(data["nc"])], photos


def our_description(file: str) -> tuple[list[str], dict[str, list[str]]] | None:
    try:
        data = read_data_yaml(Path(file))
        data.require("train", "val")
        photos = {split: [str(photo) for photo in data.pictures(split)] for split in data.splits}
    except DatasetError as error:
        assert "\n" not in str(error)
        return None
    return (list(data.names), photos) if all(photos.values()) else None


def build_set(root: Path) -> None:
    """Write photos where descriptions may point to."""
    photos = (
        "images/train/b.jpg", "images/train/a.JPG", "images/train/a-b/c.Png", "images/train/a/d.jpeg",
        "images/train/.hidden.jpg", "images/train/.cell/e.jpg", "images/train/notes.txt", "images/train/gone.gif",
        "images/val/v.jpg", "images/val/ü 口.jpg", "images/val/x.y.jpg", "valid/images/w.jpg", "train/images/t.jpg",
        "set/images/train/s.jpg", "set/images/val/u.jpg",
    )  # fmt: skip
    for name in photos:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(encoded(".jpg"))
    (root / "images/linked").symlink_to(root / "train")
    (root / "images/train/within").symlink_to(root / "valid")
    (root / "images/train/broken.jpg").symlink_to(root / "nowhere.jpg")
    (root / "list.txt").write_text("./images/train/b.jpg\r\n./images/val/v.jpg\n\n./images/val/notes.txt\n./gone.jpg\n")
    (root / "marked.txt").write_bytes(b"\xef\xbb\xbf./images/train/b.jpg")
    (root / "absolute.txt").write_text(f"{root}/images/train/b.jpg\n")
    (root / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    (root / "empty").mkdir()
    (root / "empty.txt").write_text("")


DESCRIPTIONS = [
    VAL + NAMES,
    "path: .\n" + VAL + NAMES,
    "path: set\n" + VAL + NAMES,
    "path: nowhere\n" + VAL + NAMES,
    "path: 3\n" + VAL + "names: 3\n",
    "path:\n" + VAL + NAMES,
    "path: None\n" + VAL + NAMES,
    "train: ../train/images\nval: ../valid/images\nnc: 3\n" + NAMES,
    "train: ../train/images\nval: ../valid/images\nnc: 2\n" + NAMES,
    "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n" + NAMES,
    "train: [images/train, train/images]\nval: [images/val]\n" + NAMES,
    "train: list.txt\nval: marked.txt\n" + NAMES,
    "train: absolute.txt\nval: [list.txt, images/val]\n" + NAMES,
    "train: bytes.txt\nval: images/val\n" + NAMES,
    "train: empty\nval: images/val\n" + NAMES,
    "train: empty.txt\nval: images/val\n" + NAMES,
    "train: images/linked\nval: images/val\n" + NAMES,
    "train: images/train\nval: images/none\n" + NAMES,
    "train: images/train\nval:\n" + NAMES,
    "train: images/train\n" + NAMES,
    "val: images/val\n" + NAMES,
    "train: images/train\nvalid: images/val\n" + NAMES,
    "train: images/train\nvalidation: images/val\n" + NAMES,
    "train: {a: b}\nval: images/val\n" + NAMES,
    "train: https://example.org/a.zip\nval: images/val\n" + NAMES,
    VAL,
    VAL + "nc: 2\n",
    VAL + "nc: '2'\n",
    VAL + "nc: 2.0\nnames:\n",
    VAL + "nc: 1.5\n",
    VAL + "nc: -1\n",
    VAL + "nc: 0\n",
    VAL + "nc: many\n" + NAMES,
    VAL + "nc:\n" + NAMES,
    VAL + "nc: .inf\n",
    VAL + "names: []\n",
    VAL + "names: {}\n",
    VAL + "names: ''\n",
    VAL + "names: {0: a, 1: b}\n",
    VAL + "names: {1: b, 0: a}\n",
    VAL + "names: {'0': a, '1': b}\n",
    VAL + "names: {0: a, b: c}\n",
    VAL + "names: {1: a, 2: b}\n",
    VAL + "names: [yes, 1, 2.5, é, '口罩']\n",
    VAL + "names: [mask, mask]\n",
    VAL + "names: [a]\nnames: [b, c]\n",
    VAL + "names: &n [a, b]\nother: *n\n",
    VAL + NAMES + "made: 2001-99-99\n",
    VAL + NAMES + "a: !!python/object:os.system x\n",
    VAL + NAMES + "\tx: 1\n",
    "\ufeff" + VAL + NAMES,
    (VAL + NAMES).replace("\n", "\r\n"),
    VAL + "names: [a\x07b, c]\n",
    "",
    "- a\n",
    "just words\n",
    "download: import os\n" + VAL + NAMES,
]


@pytest.mark.usefixtures("quiet_ultralytics")
@pytest.mark.parametrize("text", DESCRIPTIONS)
@pytest.mark.parametrize("folder", [".", "desc"], ids=["here", "above"])
def test_a_description_is_read_alike(text: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "none"))
    root = tmp_path / folder
    build_set(root)
    monkeypatch.chdir(tmp_path)
    file = os.path.join(folder, "data.yaml")  # noqa: PTH118 - as typed
    Path(file).write_bytes(text.encode())
    theirs, ours = their_description(file), our_description(file)
    if theirs is None and folder == "desc" and text.startswith(("path: .\n", "path: set\n")):
        assert ours is not None  # counted from the file's folder, where ultralytics finds nothing
    else:
        assert ours == theirs


@pytest.fixture
def photo(tmp_path: Path) -> Callable[[bytes, bytes | None, str], Any]:
    """Return a function that writes a photo and its labels and gives both views of it, one after the other."""
    utils = pytest.importorskip("ultralytics.data.utils")
    number = itertools.count()

    def compare(image: bytes, labels: bytes | None, name: str = "a.jpg", keypoints: str = "") -> tuple[Any, Any]:
        root = tmp_path / f"set{next(number)}"
        file = root / "images" / "train" / name
        file.parent.mkdir(parents=True)
        file.write_bytes(image)
        text = label_path(file)
        assert str(text) == utils.img2label_paths([str(file)])[0]
        if labels is not None:
            text.parent.mkdir(parents=True)
            text.write_bytes(labels)
        (root / "data.yaml").write_text(VAL + NAMES + (f"kpt_shape: [{keypoints}]\n" if keypoints else ""))
        points, each = map(int, keypoints.split(",")) if keypoints else (0, 0)
        found = utils.verify_image_label((str(file), str(text), "", False, 3, points, each, False))
        theirs = None if found[0] is None else (found[2][::-1], sorted(found[1].tolist()))
        (read,) = read_pictures([file], read_data_yaml(root / "data.yaml"))
        if not isinstance(read, LabelledPicture):
            assert isinstance(read, AnnotationError | SourceError)
            return theirs, None
        size = read.picture.size
        if read.labels is None:
            return theirs, (size, [])
        rows = np.column_stack([read.labels.class_ids, read.labels.rows])[~read.labels.repeated]
        return theirs, (size, sorted(rows.astype(np.float32).tolist()))

    return compare


def assert_alike(pair: tuple[Any, Any]) -> None:
    theirs, ours = pair
    assert (theirs is None) == (ours is None), pair
    if theirs is not None:
        assert ours[0] == theirs[0]
        assert len(ours[1]) == len(theirs[1])
        np.testing.assert_allclose(ours[1], theirs[1], atol=1e-6)


BOX = "0 0.5 0.5 0.2 0.3\n"
LABELS = [
    None, "", "\n \n", BOX, BOX + BOX, "\ufeff" + BOX, BOX.replace("\n", "\r\n"), BOX.replace(" ", "\t"), "# a\n" + BOX,
    BOX + "1 0.5 0.5 0.2 0.3\n", "0.0 0.5 0.5 0.2 0.3", "2 0.5 0.5 0.2 0.3", "3 0.5 0.5 0.2 0.3", "-1 0.5 0.5 0.2 0.3",
    "-0 0.5 0.5 0.2 0.3", "0.5 0.5 0.5 0.2 0.3", "0.99999999 0.5 0.5 0.2 0.3", "1e19 0.5 0.5 0.2 0.3",
    "1e400 0.5 0.5 0.2 0.3", "nan 0.5 0.5 0.2 0.3", "0 nan 0.5 0.2 0.3", "0 inf 0.5 0.2 0.3", "0 -inf 0.5 0.2 0.3",
    "0 0.5 0.5 0 0", "0 0.5 0.5 -0.005 0.3", "0 -0.005 0.5 0.2 0.3", "0 -0.02 0.5 0.2 0.3", "0 1.005 0.5 0.2 0.3",
    "0 1.02 0.5 0.2 0.3", "0 25 20 10 10", "0 0.5 0.5 0.2", "0 0.5 0.5 0.2 0.3 0.9", BOX + "0 0.5 0.5 0.2 0.3 0.9",
    "a 0.5 0.5 0.2 0.3", "0 0,5 0,5 0,2 0,3", "0,0.5,0.5,0.2,0.3", "0", "0 0.1 0.1 0.4 0.1 0.4 0.5 0.1 0.5",
    "0 0.1 0.1 0.4 0.1 0.4 0.5", BOX + "0 0.1 0.1 0.4 0.1 0.4 0.5 0.1 0.5", "0 0.1 0.1 0.4 0.1 0.4 0.5 0.1",
    "0 0.1 0.1 0.4 0.1 0.4 0.5 0.1 0.5\n" * 2, "0 0.1 0.1 0.4 0.1 0.4 0.5 0.1 0.5\n0 0.4 0.5 0.1 0.5 0.1 0.1 0.4 0.1",
    "0 0.1 0.1 0.4 0.1 0.4 0.5\n1 0.2 0.2", "0 0.1 0.1 1.4 0.1 0.4 0.5", "0 -0.005 0.1 0.4 0.1 0.4 0.5 0.1 0.5",
    "0 -0.3 0.1 0.4 0.1 0.4 0.5 0.1 0.5", "1_0 0.5 0.5 0.2 0.3", "０ 0.5 0.5 0.2 0.3",
    "0 0.5 0.5 0.2 0.3\x0c1 0.4 0.4 0.1 0.1",
]  # fmt: skip


@pytest.mark.parametrize("labels", LABELS)
def test_labels_are_read_alike(labels: str | None, photo: Callable[..., tuple[Any, Any]]) -> None:
    assert_alike(photo(encoded(".jpg"), None if labels is None else labels.encode()))


@pytest.mark.parametrize("labels", [b"\xff\xfe0\x00", b"\xe9 0.5 0.5 0.2 0.3", b"0 0.5 0.5 0.2 0.3\n\x00"])
def test_label_bytes_are_read_alike(labels: bytes, photo: Callable[..., tuple[Any, Any]]) -> None:
    assert_alike(photo(encoded(".jpg"), labels))


def test_keypoints_behind_a_box_are_left_out_alike(photo: Callable[..., tuple[Any, Any]]) -> None:
    for line in ("0 0.5 0.5 0.2 0.3 0.1 0.1 2 0.4 0.4 2", BOX, "0 0.1 0.1 0.4 0.1 0.4 0.5"):
        assert_alike(photo(encoded(".jpg"), line.encode(), keypoints="2, 3"))


JPEG, PNG = encoded(".jpg"), encoded(".png")
PICTURES = {
    "jpeg": JPEG,
    "jpeg cut": JPEG[: len(JPEG) // 2],
    "jpeg without its end": JPEG[:-2],
    "small": encoded(".jpg", (9, 50)),
    "narrow": encoded(".png", (40, 9)),
    "ten": encoded(".jpg", (10, 10)),
    "png": PNG,
    "png cut": PNG[: len(PNG) // 2],
    "png with a wrong checksum": PNG[:-8] + b"\0" + PNG[-7:],
    "bmp": encoded(".bmp"),
    "webp": encoded(".webp"),
    "tiff": encoded(".tif"),
    "jpeg 2000": encoded(".jp2"),
    "gif": encoded(".gif"),
    "ppm": encoded(".ppm"),
    "sun raster": encoded(".ras"),
    "text": b"no picture",
    "empty": b"",
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("image", PICTURES.values(), ids=PICTURES)
@pytest.mark.parametrize("name", ["a.jpg", "a.b.png"])
def test_pictures_are_taken_alike(image: bytes, name: str, photo: Callable[..., tuple[Any, Any]]) -> None:
    assert_alike(photo(image, BOX.encode(), name))


def test_a_jpeg_with_bytes_behind_its_end_is_taken_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "images" / "a.jpg"
    file.parent.mkdir()
    file.write_bytes(JPEG + b"made by a camera")
    (tmp_path / "data.yaml").write_text(VAL + NAMES)
    (read,) = read_pictures([file], read_data_yaml(tmp_path / "data.yaml"))
    assert isinstance(read, LabelledPicture)
    assert file.read_bytes() == JPEG + b"made by a camera"  # ultralytics would write it anew


WORDS = st.sampled_from(("0", "1", "2", "3", "-1", "0.5", "0.1", "1.01", "1.02", "-0.01", "-0.02", "nan", "x", "1e9"))


@given(lines=st.lists(st.lists(WORDS, min_size=1, max_size=9), max_size=3), five=st.booleans())
def test_any_lines_are_read_alike(lines: list[list[str]], five: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    utils = pytest.importorskip("ultralytics.data.utils")
    folder = tmp_path_factory.getbasetemp() / "lines"
    folder.mkdir(exist_ok=True)
    (folder / "a.jpg").write_bytes(JPEG)
    text = "\n".join(" ".join(line[:5] if five else line) for line in lines)
    (folder / "a.txt").write_text(text)
    found = utils.verify_image_label((str(folder / "a.jpg"), str(folder / "a.txt"), "", False, 3, 0, 0, False))
    try:
        labels = read_labels(folder / "a.txt", classes=3)
    except AnnotationError:
        assert found[0] is None, text
        return
    assert found[0] is not None, text
    ours = np.column_stack([labels.class_ids, labels.rows])[~labels.repeated]
    np.testing.assert_allclose(sorted(ours.tolist()), sorted(found[1].tolist()), atol=1e-6)
