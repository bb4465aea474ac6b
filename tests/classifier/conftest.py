"""Small generated VOC data sets; real photos come from the folder in MASKDET_DATA and are never copied here."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.classifier.crops.crop_set import CropSet, read_crop_set

MakeVoc = Callable[..., Path]

WIDTH, HEIGHT = 40, 30


def ramp(seed: int) -> NDArray[np.uint8]:
    """A picture of WIDTH×HEIGHT whose pixels say where they are: (x, y, seed) as BGR."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.dstack([x, y, np.full_like(x, seed)]).astype(np.uint8)


@pytest.fixture
def make_voc(make_voc: MakeVoc) -> MakeVoc:
    """Return the maker of data sets, of lossless pictures: ``make_voc({"a": [boxes]})`` gives the root folder."""
    return partial(make_voc, suffix=".png", name="voc", draw=ramp)


@pytest.fixture
def small_voc(make_voc: MakeVoc) -> Path:
    """Three photos: two faces (one a single pixel), none, and one at the corner."""
    return make_voc(
        {
            "a": [("with_mask", 5, 6, 15, 26), ("without_mask", 39, 29, 41, 30)],
            "b": [],
            "c": [("mask_weared_incorrect", 30, 20, 40, 30)],
        }
    )


@pytest.fixture(scope="session")
def real_crops(real_data: Path) -> CropSet:
    """Every face of the public data set, read once."""
    return read_crop_set(real_data, quiet=True)


@pytest.fixture(scope="session")
def many_faces(tmp_path_factory: pytest.TempPathFactory) -> CropSet:
    """Read ``write_faces`` as crops."""
    return read_crop_set(write_faces(tmp_path_factory.mktemp("faces")), quiet=True)


def write_faces(root: Path, photos: int = 40) -> Path:
    """Write a VOC set that can be learnt: bright faces wear a mask, dark ones none, blue ones wrongly."""
    rng = np.random.default_rng(0)
    for folder in ("annotations", "images"):
        (root / folder).mkdir()
    for number in range(photos):
        image = rng.integers(100, 140, (48, 64, 3), dtype=np.uint8)
        names = ["with_mask", "without_mask"] + (["mask_weared_incorrect"] if number % 3 == 0 else [])
        objects = ""
        for at, name in enumerate(names):
            x, y = 2 + 20 * at, int(rng.integers(2, 20))
            bgr = {"with_mask": (220,) * 3, "without_mask": (20,) * 3, "mask_weared_incorrect": (220, 20, 20)}[name]
            image[y : y + 20, x : x + 16] = np.clip(rng.normal(bgr, 10, (20, 16, 3)), 0, 255).astype(np.uint8)
            box = f"<xmin>{x}</xmin><ymin>{y}</ymin><xmax>{x + 16}</xmax><ymax>{y + 20}</ymax>"
            objects += f"<object><name>{name}</name><bndbox>{box}</bndbox></object>"
        (root / "images" / f"p{number}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())
        size = "<size><width>64</width><height>48</height><depth>3</depth></size>"
        text = f"<annotation><filename>p{number}.png</filename>{size}{objects}</annotation>"
        (root / "annotations" / f"p{number}.xml").write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def made() -> ModuleType:
    """Return the module ``made_up_runs``, which lies beside this file and in no package."""
    spec = importlib.util.spec_from_file_location("made_up_runs", Path(__file__).with_name("made_up_runs.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
