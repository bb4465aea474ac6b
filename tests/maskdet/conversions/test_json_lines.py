from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskdet
from maskdet.conversions.json_lines import read_results
from maskdet.errors import SourceError
from maskdet.results import Face, ImageInfo, MaskResult, ModelInfo


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
        (change(two_faces, "time_ms", to="fast"), "could not convert"),
    ):
        with pytest.raises(ValueError, match=message):
            MaskResult.from_dict(data)  # type: ignore[arg-type]


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
