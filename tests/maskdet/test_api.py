from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import maskdet
from maskdet.errors import SourceError

WriteVideo = Callable[..., Path]


def test_a_video_as_a_stream_and_as_a_list(write_video: WriteVideo, stub: Any) -> None:
    path = write_video(frames=5)
    streamed = list(maskdet.predict(path, stream=True, detector=stub))
    assert [result.image.frame for result in streamed] == [0, 1, 2, 3, 4]
    assert all(result.pixels is not None for result in streamed)
    listed = maskdet.predict(str(path), detector=stub, vid_stride=2)
    assert isinstance(listed, list)
    assert [result.image.frame for result in listed] == [0, 2, 4]
    assert all(result.pixels is None for result in listed)
    kept = maskdet.predict(path, detector=stub, keep_pixels=True)
    assert isinstance(kept, list)
    assert all(result.pixels is not None for result in kept)


def test_one_picture_or_a_list(write_png: Callable[..., Path], stub: Any) -> None:
    path = write_png()
    for single in (path, str(path), path.read_bytes(), np.zeros((4, 4, 3), np.uint8)):
        result = maskdet.predict(single, detector=stub)
        assert isinstance(result, maskdet.MaskResult)
        assert result.pixels is not None
    for several in ([path, path], path.parent, (part for part in [path])):
        assert isinstance(maskdet.predict(several, detector=stub), list)


class Named(os.PathLike[str]):
    """A path of somebody's own making: ``str`` says nothing of it, and as py.path.local it can be iterated."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return str(self._path)

    def __iter__(self) -> Iterator[str]:
        return iter(["never"])


def test_any_object_with_a_path_is_a_path(write_png: Callable[..., Path], stub: Any, tmp_path: Path) -> None:
    path = write_png("in/a.png")
    result = maskdet.predict(Named(path), detector=stub)
    assert isinstance(result, maskdet.MaskResult)
    assert result.image.path == str(path)
    for several in (Named(path.parent), [Named(path)], os.scandir(path.parent)):
        results = maskdet.predict(several, detector=stub)
        assert isinstance(results, list)
        assert [one.image.path for one in results] == [str(path)]
    with pytest.raises(SourceError, match=r"gone\.png: no such file"):
        maskdet.predict(Named(tmp_path / "gone.png"), detector=stub)
    assert cv2.imread(str(result.save(Named(tmp_path / "out.png")))).shape == (48, 64, 3)
    (tmp_path / "a.jsonl").write_text(result.to_json() + "\n")
    assert [one.image for one in maskdet.read_results(Named(tmp_path / "a.jsonl"))] == [result.image]


def test_weights_by_any_object_with_a_path(
    write_detector: Callable[[Path], Path], tiny_classifier: Path, tmp_path: Path
) -> None:
    assert maskdet.MaskDetector(Named(write_detector(tmp_path / "own.onnx"))).info.name == "own"
    assert maskdet.MaskClassifier(Named(tiny_classifier)).info.name == "tiny"
    with pytest.raises(maskdet.WeightsError, match="gone"):
        maskdet.MaskDetector(Named(tmp_path / "gone.onnx"))


def test_a_web_address_of_a_picture_is_single(server: Any, stub: Any, astronaut: Path) -> None:
    server.serve("/a", astronaut.read_bytes(), "image/jpeg")
    result = maskdet.predict(server.url("/a"), detector=stub)
    assert isinstance(result, maskdet.MaskResult)
    assert result.image.width == 512


def test_a_live_stream_needs_stream(server: Any, stub: Any, reader_threads: Callable[[], list[Any]]) -> None:
    server.serve_stream("/live", frames=3)
    with pytest.raises(SourceError, match="never ends: use predict"):
        maskdet.predict(server.url("/live"), detector=stub)
    results = maskdet.predict(server.url("/live"), stream=True, detector=stub)
    assert next(results).image.height == 48
    results.close()
    assert reader_threads() == []


def test_leaving_the_loop_releases_the_file(
    write_video: WriteVideo, stub: Any, reader_threads: Callable[[], list[Any]]
) -> None:
    with pytest.raises(RuntimeError, match="enough"):
        for _ in maskdet.predict(write_video(), stream=True, detector=stub):
            raise RuntimeError("enough")
    assert reader_threads() == []


def test_batches(write_video: WriteVideo, stub: Any) -> None:
    maskdet.predict(write_video(frames=5), detector=stub, batch=2)
    assert stub.batches == [2, 2, 1]


def test_few_frames_are_held_through_the_model(
    captures: Callable[..., None], fake_capture: Any, write_video: WriteVideo, stub: Any
) -> None:
    path = write_video()
    capture = fake_capture(frames=200)
    captures(capture)
    most = max(capture.held() for _ in maskdet.predict(path, stream=True, detector=stub, batch=3))
    # Four wait, one is in the hands of the thread, three are being answered, and one is on its way.
    assert most <= 9
    assert capture.held() == 0


@pytest.mark.parametrize("options", [{"batch": 0}, {"vid_stride": 0}])
def test_wrong_numbers(stub: Any, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        maskdet.predict(np.zeros((4, 4, 3), np.uint8), detector=stub, **options)


def test_one_detector_in_four_threads_gives_the_same_answers(astronaut: Path) -> None:
    detector = maskdet.MaskDetector(imgsz=256)
    whole = maskdet.predict(astronaut, detector=detector)
    assert isinstance(whole, maskdet.MaskResult)
    assert whole.pixels is not None
    parts = [whole.pixels, whole.pixels[:, ::-1].copy(), whole.pixels[:300], whole.pixels[:, 100:400].copy()]
    alone = [detector.detect(part).faces for part in parts]
    assert all(alone)
    answers: dict[int, list[list[maskdet.Face]]] = {}

    def work(start: int) -> None:
        order = [(start + step) % 4 for step in range(4)]
        found = {index: detector.detect(parts[index]).faces for index in order}
        answers[start] = [found[index] for index in range(4)]

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == dict.fromkeys(range(4), alone)


def test_a_folder_side_by_side_gives_the_answers_of_one_after_another(astronaut: Path, tmp_path: Path) -> None:
    photo = cv2.imread(str(astronaut))
    for number in range(5):
        cv2.imwrite(str(tmp_path / f"{number}.png"), photo[:, number * 16 :])
    found = maskdet.predict(tmp_path, imgsz=320)
    alone = maskdet.MaskDetector(imgsz=320)
    assert isinstance(found, list)
    assert [Path(result.image.path or "").stem for result in found] == list("01234")
    for result in found:
        other = alone.detect(cv2.imread(str(result.image.path)))
        assert [face.name for face in result.faces] == [face.name for face in other.faces]
        assert len(result.faces) > 0
        np.testing.assert_allclose([f.box for f in result.faces], [f.box for f in other.faces], atol=0.01)


@pytest.fixture
def one_bad(write_png: Callable[..., Path], tmp_path: Path) -> Path:
    """Return a folder of a good picture, a damaged one and a good one."""
    for name in ("in/1.png", "in/3.png"):
        write_png(name)
    (tmp_path / "in" / "2.png").write_bytes((tmp_path / "in" / "1.png").read_bytes()[:40])
    return tmp_path / "in"


def names(results: Iterable[maskdet.MaskResult]) -> list[str]:
    return [Path(result.image.path or "").name for result in results]


@pytest.mark.parametrize("threads", [0, 1])
def test_what_comes_before_a_damaged_picture_is_kept(one_bad: Path, threads: int) -> None:
    detector = maskdet.MaskDetector(imgsz=64, threads=threads)
    stream = maskdet.predict(one_bad, stream=True, detector=detector)
    assert names([next(stream)]) == ["1.png"]
    with pytest.raises(SourceError, match=r"2\.png"):
        next(stream)
    with pytest.raises(SourceError, match=r"2\.png") as caught:
        maskdet.predict(one_bad, detector=detector)
    assert names(caught.value.results) == ["1.png"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_damaged_picture_can_be_passed_over(one_bad: Path, stub: Any, stream: bool, batch: int) -> None:
    found = maskdet.predict(one_bad, stream=stream, detector=stub, batch=batch, on_error="skip")
    assert names(found) == ["1.png", "3.png"]  # type: ignore[arg-type]
    told: list[SourceError] = []
    found = maskdet.predict(one_bad, stream=stream, detector=stub, batch=batch, on_error=told.append)
    assert names(found) == ["1.png", "3.png"]  # type: ignore[arg-type]
    assert [Path(error.path).name for error in told] == ["2.png"]


def test_every_way_to_fail_can_be_passed_over(one_bad: Path, stub: Any, write_video: WriteVideo) -> None:
    told: list[SourceError] = []
    video = write_video(frames=3)
    video.write_bytes(video.read_bytes()[:200])
    sources = [one_bad / "gone.png", b"", one_bad, np.zeros((0, 4, 3), np.uint8), str(one_bad / "*.bmp"), video]
    assert names(maskdet.predict(sources, detector=stub, on_error=told.append)) == ["1.png", "3.png"]  # type: ignore[arg-type]
    assert len(told) == 6
    for source in (one_bad / "gone.png", b"", one_bad / "2.png"):
        assert maskdet.predict(source, detector=stub, on_error="skip") == []


def test_what_the_function_raises_ends_the_call(one_bad: Path, stub: Any) -> None:
    def stop(error: SourceError) -> None:
        raise RuntimeError(f"enough: {error.path}")

    with pytest.raises(RuntimeError, match=r"enough: .*2\.png"):
        maskdet.predict(one_bad, detector=stub, on_error=stop)


@pytest.mark.parametrize("on_error", ["ignore", None, True, 3])
def test_an_unknown_way_to_go_on(stub: Any, on_error: Any) -> None:
    with pytest.raises(ValueError, match="on_error must be 'raise', 'skip' or a function"):
        maskdet.predict(np.zeros((4, 4, 3), np.uint8), detector=stub, on_error=on_error)


def test_an_empty_name_of_weights_is_not_the_working_folder() -> None:
    with pytest.raises(maskdet.WeightsError, match="the name is empty"):
        maskdet.MaskDetector("")
