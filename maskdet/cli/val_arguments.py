"""The ``key=value`` arguments of ``maskdet val``: which there are, where pictures go, the command as typed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import click

from maskdet.detector.inference.options import DetectorOptions

#: What may stand before ``=``; the names are those of ``yolo val``.
KEYS: Final = (
    "model",
    "data",
    "split",
    "imgsz",
    "conf",
    "iou",
    "batch",
    "device",
    "runtime",
    "precision",
    "augment",
    "trust_weights",
    "project",
    "name",
    "save_dir",
)


def check_keys(settings: Mapping[str, Any]) -> None:
    """Refuse unknown keys, values of the wrong kind, and a call without data.

    Raises:
        click.UsageError: one of these.
    """
    for key in settings:
        if key not in KEYS:
            close = get_close_matches(key, KEYS, n=1)
            raise click.UsageError(
                f"unknown argument {key}=; " + (f"did you mean {close[0]}=?" if close else f"known: {', '.join(KEYS)}")
            )
    for key in ("conf", "iou"):
        value = settings.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise click.UsageError(f"{key}={value}: expected a number from 0 to 1")
    for key in ("imgsz", "batch"):
        value = settings.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise click.UsageError(f"{key}={value}: expected a whole number from 1 on")
    for key in ("augment", "trust_weights"):
        if not isinstance(settings.get(key, False), bool):
            raise click.UsageError(f"{key}={settings[key]}: expected True or False")
    if "data" not in settings:
        raise click.UsageError("which data? give data=…/data.yaml, as written by `maskdet convert`")


def detector_options(
    settings: Mapping[str, Any], weights: str | Path | None, close_ups: bool | None
) -> DetectorOptions:
    """Return how the arguments ask for a detector to be loaded, one on a split or one a fold alike.

    Args:
        settings: checked arguments.
        weights: the detector's file or name, None for the default one.
        close_ups: what ``--close-ups`` was, None for neither.
    """
    return {
        "weights": weights,
        "imgsz": settings.get("imgsz"),
        "close_ups": close_ups,
        "augment": settings.get("augment", False),
        "device": str(settings.get("device", "cpu")),
        "runtime": settings.get("runtime", "auto"),
        "precision": settings.get("precision", "fp32"),
        "trust_weights": settings.get("trust_weights", False),
    }


def save_folder(settings: Mapping[str, Any], save: str | None) -> Path | None:
    """Return where pictures go: ``--save``, ``save_dir=`` or ``project=``/``name=``, None where none is given.

    Raises:
        click.UsageError: more than one is given.
    """
    named = "project" in settings or "name" in settings
    if (save is not None) + ("save_dir" in settings) + named > 1:
        raise click.UsageError("give one of --save, save_dir= and project=/name=")
    if save is not None or "save_dir" in settings:
        return Path(save if save is not None else str(settings["save_dir"]))
    if named:
        return Path(str(settings.get("project", "runs/detect"))) / str(settings.get("name", "val"))
    return None


def command_line(
    settings: Mapping[str, Any],
    data: str,
    json_target: str | None,
    save: str | None,
    *,
    stress: bool = False,
    close_ups: bool | None = None,
) -> str:
    """Return the command that made a report, without the folders of the machine it ran on.

    Args:
        settings: the ``key=value`` arguments given.
        data: folder and name of the ``data.yaml``.
        json_target: what ``--json`` was given.
        save: what ``--save`` was given.
        stress: whether ``--stress`` was.
        close_ups: what ``--close-ups`` was, None for neither.
    """
    words = ["maskdet", "val"]
    for key, value in settings.items():
        shown = data if key == "data" else Path(str(value)).name if key in {"model", "project", "save_dir"} else value
        words.append(f"{key}={shown}")
    if close_ups is not None:
        words.append("--close-ups" if close_ups else "--no-close-ups")
    if stress:
        words.append("--stress")
    if json_target is not None:
        words += ["--json", Path(json_target).name]
    if save is not None:
        words += ["--save", Path(save).name]
    return shlex.join(words)
