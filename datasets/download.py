"""Fetching the public data set from Kaggle, where it lies under CC0."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

from maskdet.errors import DatasetError
from maskdet.extras import require
from maskdet.files.folder import whole_folder

#: "Face Mask Detection": 853 photos and their Pascal VOC annotations.
HANDLE: Final = "andrewmvd/face-mask-detection"
_PARTS: Final = ("annotations", "images")
ADDRESS: Final = f"https://www.kaggle.com/datasets/{HANDLE}"


def download(out: Path) -> Path:
    """Download the data set and put ``annotations/`` and ``images/`` into the new folder ``out``.

    Kaggle gives it without an account; kagglehub keeps a copy in its own cache, from which a second call is served.

    Raises:
        MissingExtraError: kagglehub is not installed.
        DatasetError: ``out`` exists already, the download failed, or what came is not the data set.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DatasetError(out, "exists already: choose another folder")
    kagglehub = require("kagglehub", what="maskdet data download", extra="download")
    try:
        # What it prints is for people; standard output is for results.
        with redirect_stdout(sys.stderr):
            folder = Path(kagglehub.dataset_download(HANDLE))
    except Exception as error:  # kagglehub's exceptions and those of its HTTP client share no base
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise DatasetError(
            ADDRESS, f"cannot be downloaded ({lines[0][:120]}); fetch it with a browser and unpack it"
        ) from error
    if not all((folder / part).is_dir() for part in _PARTS):
        raise DatasetError(
            folder, f"came from {ADDRESS} without {' and '.join(_PARTS)}: fetch it with a browser and unpack it"
        )
    with whole_folder(out) as fresh:
        for part in _PARTS:
            shutil.copytree(folder / part, fresh / part, copy_function=_link_or_copy)
    return out


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
    return target
