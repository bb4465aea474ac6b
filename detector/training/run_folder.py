"""The folder that a training writes into: with ``exist_ok=True`` it may hold what must not be written over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from maskdet.errors import MaskdetError

#: Arguments that name a file or folder which is read.
_INPUTS: Final = ("model", "pretrained", "data", "cfg")


def check_run_folder(settings: Mapping[str, Any], folder: Path) -> None:
    """Refuse to train into a folder that holds an input of the training, or that no training made.

    Args:
        settings: the arguments; without ``exist_ok``, or with ``resume``, nothing is written over.
        folder: where the run will be written.

    Raises:
        MaskdetError: training would write over what it did not write itself, or over what it reads.
    """
    if not settings.get("exist_ok") or settings.get("resume") or not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise MaskdetError(f"{folder}: is not a folder: choose another name=")
    whole = Path(os.path.realpath(folder))
    for key in _INPUTS:
        value = settings.get(key)
        if isinstance(value, str | Path) and Path(os.path.realpath(value)).is_relative_to(whole):
            raise MaskdetError(f"{key}={value} lies in {folder}, which exist_ok=True writes over: choose another name=")
    if any(folder.iterdir()) and not (folder / "args.yaml").is_file():
        raise MaskdetError(f"{folder}: exist_ok=True writes over earlier trainings only: choose another name=")
