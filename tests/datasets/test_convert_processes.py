from __future__ import annotations

from pathlib import Path

import pytest

from maskdet.datasets.convert import ConvertOptions, convert
from maskdet.errors import AnnotationError


@pytest.fixture
def in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the smallest data set be read and written by two processes, four files at once."""
    monkeypatch.setattr("maskdet.sessions.processes.MIN_FILES", 1)
    monkeypatch.setattr("maskdet.sessions.processes.usable_cores", lambda: 2)
    monkeypatch.setattr("maskdet.datasets.voc.read.CHUNK", 4)
    monkeypatch.setattr("maskdet.datasets.convert.CHUNK", 3)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("duplicates", [False, True])
def test_processes_write_the_same_bytes(
    ten_photos: Path, tmp_path: Path, request: pytest.FixtureRequest, duplicates: bool
) -> None:
    options = ConvertOptions(duplicates=duplicates, quiet=True)
    (ten_photos / "annotations/p7.xml").write_text("<annotation><filename>p7.jpg</filename></annotation>")
    alone = convert(ten_photos, tmp_path / "alone", options)
    request.getfixturevalue("in_processes")
    assert convert(ten_photos, tmp_path / "together", options) == alone
    assert content(tmp_path / "alone") == content(tmp_path / "together")


@pytest.mark.usefixtures("in_processes")
def test_the_first_error_names_file_and_line(ten_photos: Path, tmp_path: Path) -> None:
    for name, stop in (("p8", 20), ("p6", 30)):
        path = ten_photos / f"annotations/{name}.xml"
        path.write_text(path.read_text()[:-stop])
    with pytest.raises(AnnotationError, match=r"p6.xml:\d+: not well-formed XML") as caught:
        convert(ten_photos, tmp_path / "out", ConvertOptions(duplicates=False, quiet=True))
    assert caught.value.line is not None
    assert list(tmp_path.glob(".*")) == []
    assert not (tmp_path / "out").exists()
