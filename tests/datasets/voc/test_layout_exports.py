"""Exports of other tools: divided, in folders, in lists, with copies; what of them is converted and where to."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from maskdet.datasets.audit.check import check
from maskdet.datasets.convert import ConvertOptions, convert
from maskdet.datasets.voc.layout import Part, find_layout
from maskdet.errors import DatasetError
from tests.conftest import noise_picture, voc_xml, write_picture

QUICK = ConvertOptions(duplicates=False, quiet=True)
FACE = ("with_mask", 12, 12, 36, 42)


def put(root: Path, xml: str, picture: str, *, filename: str | None = None, seed: int = 0) -> None:
    """Write one photo with one face; paths within the root."""
    write_picture(root / picture, noise_picture(seed + sum(map(ord, picture))))
    path = root / xml
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(voc_xml([FACE], filename=filename or Path(picture).name), encoding="utf-8")


def written(out: Path) -> dict[str, str]:
    """Return each picture in OUT with its label's text, found as trainers find it."""
    found = {}
    for path in sorted((out / "images").rglob("*")):
        if path.is_file():
            head, _, tail = path.as_posix().rpartition("/images/")
            label = Path(f"{head}/labels/{tail}").with_suffix(".txt")
            found[path.relative_to(out / "images").as_posix()] = label.read_text()
    return found


LABEL = "0 0.250000 0.421875 0.250000 0.468750\n"

BESIDE = ("{part}/{stem}.xml", "{part}/{stem}.jpg")
ABOVE = ("{part}/annotations/{stem}.xml", "{part}/images/{stem}.jpg")
DEVKIT = ("{part}/Annotations/{stem}.xml", "{part}/JPEGImages/{stem}.jpg")
BELOW = ("annotations/{part}/{stem}.xml", "images/{part}/{stem}.jpg")
DEVKIT_BELOW = ("Annotations/{part}/{stem}.xml", "JPEGImages/{part}/{stem}.jpg")


@pytest.mark.parametrize("form", [BESIDE, ABOVE, DEVKIT, BELOW, DEVKIT_BELOW])
@pytest.mark.parametrize("val", ["valid", "val", "Validation"])
def test_a_division_into_folders_is_kept(tmp_path: Path, form: tuple[str, str], val: str) -> None:
    root = tmp_path / "set"
    # The same name in two parts is no fault: they lie apart here and there.
    for part, stems in {"train": ("a", "b"), val: ("a",), "test": ("c",)}.items():
        for stem in stems:
            xml, picture = (text.format(part=part, stem=stem) for text in form)
            put(root, xml, picture)
    audit = convert(root, tmp_path / "out", QUICK)
    assert written(tmp_path / "out") == dict.fromkeys(["test/c.jpg", "train/a.jpg", "train/b.jpg", "val/a.jpg"], LABEL)
    assert audit.unannotated == ()
    parts = {part.split: part.photos for part in check(root, quiet=True, duplicates=False).parts}
    assert parts == {"train": 2, "val": 1, "test": 1}
    # Divided anew, the folders are what tells the two apart.
    convert(root, tmp_path / "anew", replace(QUICK, split="grouped"))
    names = sorted(name.partition("/")[2] for name in written(tmp_path / "anew"))
    assert names == sorted(["test/c.jpg", "train/a.jpg", "train/b.jpg", f"{val}/a.jpg"])
    assert len(convert(root, tmp_path / "folds", replace(QUICK, folds=2)).parts) == 2


def test_a_division_in_a_folder_of_its_own_is_kept(tmp_path: Path) -> None:
    for part, stem in {"train": "a", "valid": "b"}.items():
        put(tmp_path / "set/export", f"{part}/{stem}.xml", f"{part}/{stem}.jpg")
    convert(tmp_path / "set", tmp_path / "out", QUICK)
    assert written(tmp_path / "out") == dict.fromkeys(["train/a.jpg", "val/b.jpg"], LABEL)


def test_leaks_between_the_folders_are_told(tmp_path: Path) -> None:
    for part, tags in {"train": "ab", "valid": "c"}.items():
        for tag in tags:
            put(tmp_path / "set", f"{part}/p_jpg.rf.{tag}.xml", f"{part}/p_jpg.rf.{tag}.jpg")
    audit = convert(tmp_path / "set", tmp_path / "out", ConvertOptions(quiet=True))
    expected = [("train/p_jpg.rf.a.xml", "valid/p_jpg.rf.c.xml", "augmented")]
    assert [(pair.first, pair.second, pair.kind) for pair in audit.leaks] == expected
    for folder in (tmp_path / "set", tmp_path / "out"):
        assert [pair.kind for pair in check(folder, quiet=True).leaks] == ["augmented"]


def test_a_division_without_val_says_so(tmp_path: Path) -> None:
    for part in ("train", "test"):
        put(tmp_path / "set", f"{part}/a.xml", f"{part}/a.jpg")
    with pytest.raises(DatasetError, match=r"train/.*no photo for val: use --split grouped"):
        convert(tmp_path / "set", tmp_path / "out", QUICK)
    with pytest.raises(DatasetError, match="not divided"):
        convert(tmp_path / "set" / "train", tmp_path / "out", replace(QUICK, split="folders"))


def test_pictures_of_a_part_without_annotations_are_told(tmp_path: Path) -> None:
    for part in ("train", "valid"):
        put(tmp_path / "set", f"{part}/a.xml", f"{part}/a.jpg")
    write_picture(tmp_path / "set" / "test" / "t.jpg", noise_picture(1))
    assert convert(tmp_path / "set", tmp_path / "out", QUICK).unannotated == ("test/t.jpg",)


@pytest.mark.parametrize(
    "form",
    [
        ("Annotations/{cam}/{stem}.xml", "JPEGImages/{cam}/{stem}.jpg"),
        ("annotations/{cam}/{stem}.xml", "images/{cam}/{stem}.jpg"),
        ("{cam}/{stem}.xml", "{cam}/{stem}.jpg"),
        ("annotations/site/{cam}/{stem}.xml", "images/site/{cam}/{stem}.jpg"),
    ],
)
@pytest.mark.parametrize("with_folder", [True, False])
def test_folders_are_part_of_the_name(tmp_path: Path, form: tuple[str, str], with_folder: bool) -> None:
    root = tmp_path / "set"
    for cam in ("cam1", "cam2"):
        for stem in ("frame_0", "frame_1"):
            xml, picture = (text.format(cam=cam, stem=stem) for text in form)
            put(root, xml, picture, filename=f"{cam}/{stem}.jpg" if with_folder else None)
    audit = convert(root, tmp_path / "out", QUICK)
    found = written(tmp_path / "out")
    folder = "site/" if "site" in form[0] else ""
    expected = {f"{folder}{cam}/frame_{n}.jpg" for cam in ("cam1", "cam2") for n in (0, 1)}
    assert {name.partition("/")[2] for name in found} == expected
    assert set(found.values()) == {LABEL}
    assert (audit.unannotated, audit.found_by_stem) == ((), 0)


def test_a_folder_called_images_below_does_not_mislead_trainers(tmp_path: Path) -> None:
    for stem in "ab":
        put(tmp_path / "set", f"annotations/images/{stem}.xml", f"images/images/{stem}.jpg")
    convert(tmp_path / "set", tmp_path / "out", QUICK)
    assert set(written(tmp_path / "out").values()) == {LABEL}


def test_crops_of_two_cameras(tmp_path: Path) -> None:
    from maskdet.classifier.crops.crop_folder import CropFolderOptions, write_crops

    for cam in ("cam1", "cam2"):
        put(tmp_path / "set", f"annotations/{cam}/f_0.xml", f"images/{cam}/f_0.jpg")
    summary = write_crops(tmp_path / "set", tmp_path / "crops", CropFolderOptions(duplicates=False, quiet=True))
    assert (summary.photos, summary.groups) == (2, 2)
    crops = sorted(path.relative_to(tmp_path / "crops").as_posix() for path in tmp_path.glob("crops/with_mask/*/*"))
    assert crops == ["with_mask/cam1/f_0_0.png", "with_mask/cam2/f_0_0.png"]


def test_hidden_files_and_own_output_are_no_part_of_the_source(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for stem in "abc":
        put(root, f"{stem}.xml", f"{stem}.jpg")
    for junk in ("__MACOSX/._a.xml", ".cache/x.xml", "._b.xml"):
        (root / junk).parent.mkdir(exist_ok=True)
        (root / junk).write_bytes(b"\0")
    convert(root, root / "out", QUICK)
    audit = convert(root, root / "out", replace(QUICK, overwrite=True))
    assert sum(part.photos for part in audit.parts) == 3
    assert audit.unannotated == ()


def test_a_link_to_the_folder_above_is_not_followed_for_ever(tmp_path: Path) -> None:
    put(tmp_path / "set", "annotations/a.xml", "images/a.jpg")
    try:
        (tmp_path / "set" / "annotations" / "again").symlink_to("..")
    except OSError:
        pytest.skip("no symbolic links here")
    assert "a.xml" in find_layout(tmp_path / "set").xml_names()


def test_not_everything_in_such_folders_is_a_division(tmp_path: Path) -> None:
    for part in ("train", "val"):
        put(tmp_path / "set", f"annotations/{part}/a.xml", f"images/{part}/a.jpg")
    layout = find_layout(tmp_path / "set")
    assert layout.parts == (Part("train", "train/", "train/"), Part("val", "val/", "val/"))
    put(tmp_path / "set", "annotations/more/b.xml", "images/more/b.jpg")
    assert find_layout(tmp_path / "set").parts == ()
    shutil.rmtree(tmp_path / "set" / "annotations" / "more")
    shutil.rmtree(tmp_path / "set" / "annotations" / "val")
    assert find_layout(tmp_path / "set").parts == ()


def listed(tmp_path: Path, **lists: str) -> Path:
    root = tmp_path / "set"
    for number in range(5):
        put(root, f"Annotations/p{number}.xml", f"JPEGImages/p{number}.jpg")
    folder = root / "ImageSets" / "Main"
    folder.mkdir(parents=True)
    for name, text in lists.items():
        (folder / f"{name}.txt").write_text(text)
    return root


@pytest.mark.parametrize(
    "lists",
    [
        {"train": "p0\np1\np2\n", "val": "p3\np4"},
        {"train": "p0.jpg 1\np1.jpg -1\np2.jpg 1\n", "val": "p3.jpg 0\np4.jpg 1\n"},
        {"train": "p0  1\r\np1 -1\r\np2  0\r\n", "val": "p3\t1\r\np4 +1\r\n"},
        {"train": "p0.xml\nJPEGImages/p1.jpg\n/data/VOC/JPEGImages/p2.jpg", "val": "D:\\set\\p3.jpg\n./p4\n"},
        {"mask_train": "p0 1\np1 1\np2 -1", "none_train": "p0 -1\np1 -1\np2 1", "mask_val": "p3 1\np4 -1"},
        {"Train": "p0\np1\np2\n", "Validation": "p3\np4", "default": "p0\np1\np2\np3\np4"},
        {"train": "\ufeffp0\np1\np2", "val": "p3\np4", "mask_train": "p4 1"},
    ],
)
def test_lists_as_tools_write_them(tmp_path: Path, lists: dict[str, str]) -> None:
    root = listed(tmp_path, **lists)
    audit = convert(root, tmp_path / "out", replace(QUICK, split="voc"))
    assert sorted(written(tmp_path / "out")) == [*(f"train/p{n}.jpg" for n in (0, 1, 2)), "val/p3.jpg", "val/p4.jpg"]
    assert audit.mends == ()


def test_lines_that_name_no_photo_are_told(tmp_path: Path) -> None:
    root = listed(tmp_path, train="p0\np9 1\n\np1\n", val="p3\nother/p7.jpg\n")
    audit = convert(root, tmp_path / "out", replace(QUICK, split="voc"))
    strays = [(mend.file, mend.kind, mend.line) for mend in audit.mends]
    assert strays == [("ImageSets/Main/train.txt", "unlisted", 2), ("ImageSets/Main/val.txt", "unlisted", 2)]
    assert audit.unlisted == ("p2.xml", "p4.xml")
    assert [mend.line for mend in check(root, quiet=True, duplicates=False).mends] == [2, 2]


def test_a_number_may_be_part_of_the_name(tmp_path: Path) -> None:
    root = listed(tmp_path, train="photo 1\np0 1\n", val="p3")
    put(root, "Annotations/photo 1.xml", "JPEGImages/photo 1.jpg")
    convert(root, tmp_path / "out", replace(QUICK, split="voc"))
    assert sorted(written(tmp_path / "out")) == ["train/p0.jpg", "train/photo 1.jpg", "val/p3.jpg"]


def test_lists_name_folders_where_names_repeat(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for cam in ("cam1", "cam2"):
        put(root, f"Annotations/{cam}/f_0.xml", f"JPEGImages/{cam}/f_0.jpg")
    lists = root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("cam1/f_0\n")
    (lists / "val.txt").write_text("cam2/f_0.jpg\nf_0\n")
    audit = convert(root, tmp_path / "out", replace(QUICK, split="voc"))
    assert sorted(written(tmp_path / "out")) == ["train/cam1/f_0.jpg", "val/cam2/f_0.jpg"]
    assert [(mend.kind, mend.line) for mend in audit.mends] == [("unlisted", 2)]  # which of the two?


@pytest.mark.parametrize("duplicates", [True, False])
def test_copies_by_name_stay_on_one_side(tmp_path: Path, duplicates: bool) -> None:
    root = tmp_path / "set"
    for photo in range(6):
        for tag in "abc":
            name = f"photo{photo}_jpg.rf.{tag}{photo}"
            put(root, f"annotations/{name}.xml", f"images/{name}.jpg", seed=photo * 10)
    for seed in range(3):
        out = tmp_path / f"out{seed}"
        convert(root, out, replace(QUICK, duplicates=duplicates, seed=seed, val_fraction=0.3))
        sides = {split: {path.name.partition(".rf.")[0] for path in (out / "images" / split).iterdir()}
                 for split in ("train", "val")}  # fmt: skip
        assert sides["train"].isdisjoint(sides["val"])
        assert len(sides["train"] | sides["val"]) == 6
    convert(root, tmp_path / "folds", replace(QUICK, duplicates=duplicates, folds=3))
    folds = [
        {path.name.partition(".rf.")[0] for path in (tmp_path / f"folds/images/fold{n}").iterdir()} for n in (1, 2, 3)
    ]
    assert sum(map(len, folds)) == len(set().union(*folds)) == 6


JPEG, PNG = (cv2.imencode(suffix, noise_picture(7))[1].tobytes() for suffix in (".jpg", ".png"))


@pytest.mark.parametrize(
    ("name", "encoded", "expected"),
    [
        ("x.jfif", ".jpg", "x.jpg"),
        ("x.jpe", ".jpg", "x.jpg"),
        ("x.JFIF", ".png", "x.png"),
        ("x.gif", ".gif", "x.png"),
        ("x.ppm", ".ppm", "x.png"),
        ("x.jp2", ".jp2", "x.png"),
        ("x.jpg", ".ppm", "x.png"),
        ("x.png", ".gif", "x.png"),
        ("x.jpg", ".png", "x.jpg"),
        ("x.BMP", ".bmp", "x.BMP"),
        ("x.webp", ".webp", "x.webp"),
        ("x.tif", ".tiff", "x.tif"),
    ],
)
@pytest.mark.parametrize("duplicates", [True, False])
def test_pictures_come_as_trainers_take_them(
    make_voc, tmp_path: Path, name: str, encoded: str, expected: str, duplicates: bool
) -> None:
    pytest.importorskip("PIL")
    from PIL import Image

    root = make_voc({"a": [FACE], "b": [FACE]})
    data = cv2.imencode(encoded, noise_picture(7))[1].tobytes()
    (root / "images" / name).write_bytes(data)
    (root / "annotations" / "x.xml").write_text(voc_xml([FACE], filename=name))
    audit = convert(root, tmp_path / "out", replace(QUICK, duplicates=duplicates))
    (picture,) = tmp_path.glob("out/images/*/x.*")
    assert picture.name == expected
    with Image.open(picture) as opened:
        assert opened.format in ("JPEG", "PNG", "BMP", "WEBP", "TIFF")
    assert (tmp_path / "out/labels" / picture.parent.name / "x.txt").read_text() == LABEL
    assert audit.mended == ({} if expected == name and encoded != ".gif" else {"picture": 1})
    assert check(tmp_path / "out", quiet=True, duplicates=False).left_out == ()


@pytest.mark.parametrize(("side", "usable"), [(9, False), (10, True)])
def test_pictures_below_ten_pixels_cannot_be_trained_on(make_voc, tmp_path: Path, side: int, usable: bool) -> None:
    root = make_voc({"a": [FACE], "b": [FACE]})
    write_picture(root / "images" / "x.png", noise_picture(1, (side, 40)))
    (root / "annotations" / "x.xml").write_text(voc_xml([], filename="x.png", size=(side, 40)))
    audit = check(root, quiet=True, duplicates=False)
    assert [photo.file for photo in audit.left_out] == ([] if usable else ["x.xml"])


def test_the_audit_tells_every_scaled_box(make_voc, tmp_path: Path) -> None:
    root = make_voc({"a": [("with_mask", 6, 6, 18, 21), ("with_mask", 30, 10, 40, 20)], "b": [FACE]})
    xml = root / "annotations" / "a.xml"
    xml.write_text(xml.read_text().replace("<width>96</width><height>64", "<width>48</width><height>32"))
    audit = convert(root, tmp_path / "out", QUICK)
    told = json.loads((tmp_path / "out" / "audit.json").read_text())["mends"]
    assert [(mend["kind"], mend["line"], mend["before"], mend["after"]) for mend in told] == [
        ("scaled", 4, [6, 6, 18, 21], [12, 12, 36, 42]),
        ("scaled", 8, [30, 10, 40, 20], [60, 20, 80, 40]),
    ]
    assert audit.mended == {"scaled": 2}
    xml.write_text(xml.read_text().replace("<width>48", "<width>40"))
    with pytest.raises(Exception, match=r"a.xml: <size> 40×32 has another shape .*--coordinates pixels"):
        convert(root, tmp_path / "refused", QUICK)
    convert(root, tmp_path / "pixels", replace(QUICK, coordinates="pixels"))
    (label,) = tmp_path.glob("pixels/labels/*/a.txt")
    assert label.read_text().startswith("0 0.125000 0.210938 0.125000 0.234375\n")


def test_shares_are_refused_or_read_as_such(make_voc, tmp_path: Path) -> None:
    shares = ("with_mask", 0.125, 0.1875, 0.375, 0.65625)
    root = make_voc({"a": [shares], "b": [FACE]})
    with pytest.raises(Exception, match=r"a.xml: all boxes lie within 0 … 1.*--coordinates shares"):
        convert(root, tmp_path / "out", QUICK)
    convert(root, tmp_path / "out", replace(QUICK, coordinates="shares"))
    assert list(written(tmp_path / "out").values()) == [LABEL, LABEL]
    assert [photo.file for photo in check(root, quiet=True, duplicates=False).left_out] == ["a.xml"]


def test_boxes_below_a_pixel_are_told_and_kept(make_voc, tmp_path: Path) -> None:
    root = make_voc({"a": [FACE, ("with_mask", 5, 5, 5.5, 20), ("with_mask", 7, 7, 8, 8)], "b": []})
    audit = convert(root, tmp_path / "out", QUICK)
    assert [(mend.kind, mend.before) for mend in audit.mends] == [("tiny", (5, 5, 5.5, 20))]
    assert sum(sum(part.boxes) for part in audit.parts) == 3


def test_difficult_boxes_are_counted_and_left_out_on_request(make_voc, tmp_path: Path) -> None:
    root = make_voc({"a": [FACE, ("without_mask", 50, 20, 58, 30)], "b": []})
    xml = root / "annotations" / "a.xml"
    xml.write_text(
        xml.read_text().replace("<name>without_mask</name>", "<name>without_mask</name><difficult>1</difficult>")
    )
    audit = convert(root, tmp_path / "out", QUICK)
    assert (audit.difficult, audit.mended, audit.parts[0].boxes[1] + audit.parts[1].boxes[1]) == (1, {}, 1)
    audit = convert(root, tmp_path / "skipped", replace(QUICK, skip_difficult=True))
    assert (audit.difficult, audit.mended) == (1, {"difficult": 1})
    assert sum(sum(part.boxes) for part in audit.parts) == 1
    assert audit.to_dict()["boxes_marked_difficult"] == 1


def test_all_unknown_classes_are_told_at_once(make_voc, tmp_path: Path) -> None:
    boxes = {"a": ["good", "bad"], "b": ["with_mask"], "c": ["good", "two words", "it's"]}
    root = make_voc(
        {stem: [(name, 1, 2, 30, 40 + at) for at, name in enumerate(names)] for stem, names in boxes.items()}
    )
    with pytest.raises(Exception, match="unknown classes") as caught:
        convert(root, tmp_path / "out", QUICK)
    text = str(caught.value)
    assert "a.xml:4: unknown classes 'good' (2 boxes), 'bad' (1 box), 'two words' (1 box), \"it's\" (1 box);" in text
    assert '--map "good=CLASS" --map "bad=CLASS" --map "two words=CLASS" --map "it\'s=CLASS" or --skip-unknown' in text
    assert len(text.splitlines()) == 1
    audit = check(root, quiet=True, duplicates=False)
    assert audit.unknown == {"good": 2, "bad": 1, "two words": 1, "it's": 1}
    assert [photo.file for photo in audit.left_out] == ["a.xml", "c.xml"]
