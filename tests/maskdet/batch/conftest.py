"""A folder of small pictures with faces, and the command as a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import pytest

from maskdet.batch.plan import LoadedModels, ModelChoice
from maskdet.cli import main

ROOT = Path(__file__).resolve().parents[3]


#: What makes the shipped detector quick on the pictures below.
SMALL: Final = ("--imgsz", "192")


@pytest.fixture(scope="session")
def draw_photos() -> Callable[[Path, int], Path]:
    """Return a function that cuts so many pictures of faces, ``00.png`` and on, into a folder."""

    def draw(folder: Path, count: int) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        crew = cv2.imread(str(ROOT / "examples" / "crew.jpg"))
        for number in range(count):
            left = 60 * number % 660
            image = crew[:, left : left + 360 - number % 7]
            (folder / f"{number:02d}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
        return folder

    return draw


@pytest.fixture
def photos(tmp_path: Path, draw_photos: Callable[[Path, int], Path]) -> Path:
    """Return a folder of twelve such pictures."""
    return draw_photos(tmp_path / "photos", 12)


@pytest.fixture(scope="session")
def loaded() -> dict[str, LoadedModels]:
    """Return the models that tests have loaded, so that each is loaded once."""
    return {}


@pytest.fixture
def maskdet(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, loaded: dict[str, LoadedModels]
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command line and gives (exit code, stdout, stderr); the detector is quick."""
    load = ModelChoice.load

    def load_once(self: ModelChoice, *, threads: int) -> LoadedModels:
        key = f"{self} {threads}"
        return loaded.get(key) or loaded.setdefault(key, load(self, threads=threads))

    monkeypatch.setattr(ModelChoice, "load", load_once)

    def call(*args: str | Path | float) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([*map(str, args), *SMALL])
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capsys.readouterr()

    return call


@pytest.fixture(scope="session")
def files_of() -> Callable[[Path], dict[str, bytes]]:
    """Return a function that gives everything in a folder, hidden files too, by its path there."""
    return lambda out: {
        path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
    }


@pytest.fixture(scope="session")
def rows_of() -> Callable[[Path, str], list[dict[str, Any]]]:
    """Return a function that gives the rows of all parts of a folder, in order."""

    def read(out: Path, folder: str) -> list[dict[str, Any]]:
        import pyarrow.parquet as pq

        rows: list[dict[str, Any]] = []
        for part in sorted((out / folder).iterdir()):
            if part.suffix == ".parquet":
                rows += pq.ParquetFile(part).read().to_pylist()
            else:
                rows += [json.loads(line) for line in part.read_text(encoding="utf-8").split("\n") if line]
        return rows

    return read
