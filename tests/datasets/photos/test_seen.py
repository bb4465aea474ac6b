from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from maskdet.datasets.photos.seen import marks_of, photos_among
from maskdet.errors import SourceError


def test_the_content_counts(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.png", "b.png", "copy of a.png")]
    for path, content in zip(paths, (b"one", b"two", b"one"), strict=True):
        path.write_bytes(content)
    marks = sorted(hashlib.sha256(content).hexdigest()[:8] for content in (b"one", b"two"))
    assert marks_of(paths) == "".join(marks)
    assert photos_among(paths, marks_of(paths[:1])) == [paths[0], paths[2]]
    assert marks_of(paths[1:2], before=marks_of(paths[:1])) == "".join(marks)
    assert marks_of([]) == ""
    assert photos_among(paths, "") == []
    with pytest.raises(SourceError, match="cannot be read"):
        marks_of([tmp_path / "none.png"])
