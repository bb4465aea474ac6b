from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from maskdet.cli import cli
from maskdet.datasets.download import HANDLE, download
from maskdet.datasets.voc.chunk import ReadOptions
from maskdet.datasets.voc.read import read_voc
from maskdet.errors import DatasetError, MissingExtraError


@pytest.fixture
def kaggle(ten_photos: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A stand-in for kagglehub that serves ten photos."""
    module = ModuleType("kagglehub")

    def dataset_download(handle: str) -> str:
        assert handle == HANDLE
        print("Downloading …")
        return str(ten_photos)

    module.dataset_download = dataset_download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    return module


def test_the_data_set_arrives_whole(kaggle: ModuleType, ten_photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    done = CliRunner().invoke(cli, ["data", "download", str(out)], standalone_mode=False)
    assert (done.return_value, done.stdout) == (0, f"{out}\n")
    here, there = (read_voc(folder, ReadOptions(quiet=True))[0].photos for folder in (out, ten_photos))
    assert [photo.name for photo in here] == [photo.name for photo in there]
    with pytest.raises(DatasetError, match="exists already"):
        download(out)


def test_a_failed_download_is_one_line(kaggle: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(handle: str) -> str:
        raise ConnectionError("no route to host\nand much more")

    monkeypatch.setattr(kaggle, "dataset_download", fail)
    with pytest.raises(
        DatasetError, match=r"cannot be downloaded \(no route to host\); fetch it with a browser"
    ) as told:
        download(tmp_path / "data")
    assert "\n" not in str(told.value)
    assert not (tmp_path / "data").exists()


def test_without_kagglehub_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(MissingExtraError, match=r"maskdet\[download\]"):
        download(tmp_path / "data")
