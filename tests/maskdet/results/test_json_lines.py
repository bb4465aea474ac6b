from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskdet
from maskdet.errors import SourceError
from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo
from maskdet.results.json_lines import MAX_LINE_BYTES, read_results


def test_what_was_written_is_read_back(two_faces: MaskResult, no_face: MaskResult) -> None:
    for result in (two_faces, no_face):
        assert MaskResult.from_json(result.to_json()) == result
        assert MaskResult.from_json(result.to_json().encode()) == result


def test_the_classifiers_answer_and_the_track_are_kept() -> None:
    answer = {"name": "with_mask", "confidence": 0.991, "agrees": True}
    face = Face("with_mask", 0, 0.94312, (10.0, 12.5, 40.1, 50.0), track_id=3, classifier=answer)
    result = MaskResult([face], ImageInfo("clip.mp4", 400, 267, frame=12), ModelInfo("maskdet-n", 640, 0.25), 41.2)
    assert MaskResult.from_dict(result.to_dict()) == result


@given(data=st.data())
def test_nothing_is_lost_beyond_rounding(any_result: st.SearchStrategy[MaskResult], data: st.DataObject) -> None:
    result = data.draw(any_result)
    line = result.to_json()
    assert "\n" not in line
    assert line.encode().decode() == line
    assert MaskResult.from_json(line).to_dict() == result.to_dict()


def test_a_name_that_is_not_utf8_survives() -> None:
    result = MaskResult([], ImageInfo("d/\udcff.jpg", 4, 3), ModelInfo("m", 64, 0.25), 1.0)
    assert MaskResult.from_json(result.to_json().encode()) == result


def change(result: MaskResult, *path: str | int, to: object) -> dict[str, object]:
    """Return the result's object with one value changed, or left out where ``to`` is ``...``."""
    data = json.loads(result.to_json())
    place = data
    for key in path[:-1]:
        place = place[key]
    if to is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return data  # type: ignore[no-any-return]


def test_what_is_no_result(two_faces: MaskResult) -> None:
    for data, message in (
        ([], "expected a maskdet/1 object, got list"),
        ({}, "schema None: expected 'maskdet/1'"),
        (change(two_faces, "schema", to="maskdet/2"), "schema 'maskdet/2': expected 'maskdet/1'"),
        (change(two_faces, "image", "width", to=...), "'width' is missing"),
        (change(two_faces, "detections", to=...), "'detections' is missing"),
        (change(two_faces, "image", to=None), "wrong type"),
        (change(two_faces, "detections", 0, to=3), "wrong type"),
        (change(two_faces, "detections", 0, "name", to="mask"), "class 0 'mask': the classes are with_mask, "),
        (change(two_faces, "detections", 0, "class", to=1), "class 1 'with_mask'"),
        (change(two_faces, "detections", 0, "box", "x1", to=float("nan")), "no finite number"),
        (change(two_faces, "time_ms", to="fast"), "time_ms has the wrong type: expected a number, got text"),
        (change(two_faces, "time_ms", to=-1), "time_ms must be at least 0, not -1"),
        (change(two_faces, "image", "path", to=5), "image.path has the wrong type: expected text, got a number"),
        (change(two_faces, "image", "path", to=...), "'path' is missing in image"),
        (change(two_faces, "image", "width", to="400"), "image.width has the wrong type: expected a number, got text"),
        (change(two_faces, "image", "width", to=True), "image.width has the wrong type"),
        (change(two_faces, "image", "width", to=0), "image.width must be at least 1, not 0"),
        (change(two_faces, "image", "width", to=400.5), "image.width has the wrong type: expected a whole number"),
        (change(two_faces, "image", "width", to=float("inf")), "image.width is no finite number"),
        (change(two_faces, "image", "height", to=10**400), "image.height must be at least 1"),
        (change(two_faces, "image", "frame", to=-1), "image.frame must be at least 0"),
        (change(two_faces, "model", "name", to=None), "model.name has the wrong type: expected text, got null"),
        (change(two_faces, "model", "conf", to=1.5), "model.conf must be from 0 to 1, not 1.5"),
        (change(two_faces, "model", "imgsz", to=[]), "model.imgsz has the wrong type: expected a number, got an array"),
        (change(two_faces, "detections", to={}), "detections has the wrong type: expected an array, got an object"),
        (change(two_faces, "detections", to="none"), "expected an array, got text"),
        (change(two_faces, "detections", 0, "name", to=["with_mask"]), "expected text, got an array"),
        (change(two_faces, "detections", 0, "class", to=False), "class has the wrong type"),
        (change(two_faces, "detections", 1, "confidence", to=2), r"detections\[1\].confidence must be from 0 to 1"),
        (change(two_faces, "detections", 0, "confidence", to="0.9"), "expected a number, got text"),
        (change(two_faces, "detections", 0, "box", to=[10, 20, 50, 100]), "expected an object, got an array"),
        (change(two_faces, "detections", 0, "box", "x1", to=10**400), "x1 is no finite number"),
        (change(two_faces, "detections", 0, "box", "x1", to=60), "corners swapped"),
        (change(two_faces, "detections", 0, "box", "x2", to=402), "x2 must be from 0 to 401, not 402"),
        (change(two_faces, "detections", 0, "box", "y1", to=-1), "y1 must be from 0 to 201, not -1"),
        (change(two_faces, "detections", 0, "track_id", to="7"), "track_id has the wrong type"),
        (change(two_faces, "detections", 0, "track_id", to=2**63), "track_id must be at least"),
        (change(two_faces, "counts", to=[]), "counts has the wrong type: expected an object, got an array"),
        (change(two_faces, "counts", "with_mask", to="many"), "counts.with_mask has the wrong type"),
        (change(two_faces, "counts", "with_mask", to=-1), "counts.with_mask must be at least 0, not -1"),
        (change(two_faces, "detections", 0, "classifier", to=3), "classifier has the wrong type"),
        (change(two_faces, "detections", 0, "classifier", to={"name": "with_mask"}), "'confidence' is missing in"),
    ):
        with pytest.raises(ValueError, match=message):
            MaskResult.from_dict(data)  # type: ignore[arg-type]


def test_messages_are_one_short_line(two_faces: MaskResult) -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    for data in (
        change(two_faces, "schema", to="a\n" * 100_000),
        change(two_faces, "detections", 0, "name", to="\x1b[31m" * 100_000),
        change(two_faces, "image", "width", to=10**5000),
        change(two_faces, "counts", to={"a\n" * 100_000: 0}),
        change(two_faces, "counts", to={"\x1b[31m" * 100_000: "many"}),
        change(two_faces, "schema", to=None) | {"schema": nested},
    ):
        with pytest.raises(ValueError) as caught:
            MaskResult.from_dict(data)
        text = str(caught.value)
        assert len(text.splitlines()) == 1
        assert text.isprintable()
        assert len(text) < 300
    while nested:  # else Python frees it frame by frame
        nested = nested[0]  # type: ignore[assignment]


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '{"a":' * 100_000, "NaN", "-Infinity", "1" * 5000, "1e999999", "", "{", "nul", "\ud800", '"\x00"'],
)
def test_text_that_is_no_result(text: str) -> None:
    with pytest.raises(ValueError):
        MaskResult.from_json(text)
    with pytest.raises(ValueError):
        MaskResult.from_json(text.encode(errors="surrogatepass"))


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ),
    data=st.data(),
)
def test_any_value_in_any_place_is_read_or_refused(
    any_result: st.SearchStrategy[MaskResult], value: object, data: st.DataObject
) -> None:
    """What is read can take every form; what cannot be right is a ``ValueError`` and nothing else."""
    whole = json.loads(data.draw(any_result).to_json())
    places = [(whole, key) for key in whole]
    for holder in (whole["image"], whole["model"], *whole["detections"], *(one["box"] for one in whole["detections"])):
        places += [(holder, key) for key in holder]
    holder, key = data.draw(st.sampled_from(places))
    holder[key] = value
    try:
        result = MaskResult.from_dict(whole)
    except ValueError:
        return
    assert MaskResult.from_json(result.to_json()) == MaskResult.from_dict(result.to_dict())
    assert len(result.to_coco(1)) == len(result.to_yolo().splitlines()) == len(result.faces)
    assert result.to_voc().count("<object>") == len(result.faces)


def test_members_that_are_not_known_are_passed_over(two_faces: MaskResult) -> None:
    assert MaskResult.from_dict(change(two_faces, "image", "camera", to="gate")) == two_faces


def test_a_file_is_read_up_to_its_last_whole_line(two_faces: MaskResult, no_face: MaskResult, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    text = f"{two_faces.to_json()}\n\n{no_face.to_json()}\n"
    path.write_text(text + two_faces.to_json()[:50])
    assert list(maskdet.read_results(path)) == [two_faces, no_face]
    path.write_text(text + two_faces.to_json())  # whole but for the line break
    assert list(maskdet.read_results(path)) == [two_faces, no_face, two_faces]
    path.write_text("")
    assert list(maskdet.read_results(path)) == []


def test_a_bad_line_is_named(two_faces: MaskResult, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{two_faces.to_json()}\n{{}}\n")
    results = read_results(path)
    next(results)
    with pytest.raises(SourceError, match="line 2: schema None"):
        next(results)
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(SourceError, match="line 1"):
        next(read_results(path))
    with pytest.raises(SourceError, match="cannot be read"):
        next(read_results(tmp_path / "gone.jsonl"))


def test_a_file_that_nobody_could_have_written(two_faces: MaskResult, tmp_path: Path) -> None:
    path, line = tmp_path / "a.jsonl", two_faces.to_json().encode()
    for data, message in (
        (b"[" * 20_000 + b"\n", "line 1: arrays or objects are nested too deeply"),
        (line + b"\n" + line.replace(b"400", b"Infinity") + b"\n", "line 2: Infinity is no finite number"),
        (
            line + b"\n" + line.replace(b"10.0", b"9" * 400) + b"\n",
            r"line 2: detections\[0\].box.x1 is no finite number",
        ),
        (line.replace(b"10.0", b"9" * 9000) + b"\n", "line 1: "),
        (line + b"\n" + b"\xff" + line + b"\n", r"line 2: not UTF-8 text \(byte 0\)"),
        (line.decode().encode("utf-16"), "line 1: UTF-16 text: save the file as UTF-8"),
        (gzip.compress(line), "compressed with gzip: unpack it first"),
        (b" " * MAX_LINE_BYTES + line, "line 1: longer than 16 MB"),
        (b"some notes", "line 1: no JSON"),
        (b'{"schema": "maskdet/9"}', "line 1: schema 'maskdet/9'"),
        (line.replace(b"with_mask", b"hat", 1), "line 1: class 0 'hat'"),
    ):
        path.write_bytes(data)
        with pytest.raises(SourceError, match=message) as caught:
            list(read_results(path))
        assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(SourceError, match="cannot be read"):
        list(read_results("a\0b"))
    path.write_bytes(b"\xef\xbb\xbf" + line)
    assert list(read_results(path)) == [two_faces]


@pytest.mark.parametrize("length", [1, 5, 22, 60])
def test_a_line_cut_anywhere_is_passed_over(two_faces: MaskResult, tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(two_faces.to_json().encode()[:length])
    assert list(read_results(path)) == []
