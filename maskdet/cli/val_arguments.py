"""The ``key=value`` arguments of ``maskdet val``: which there are, where pictures go, the command as typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import click

from maskdet.cli.options.model import ModelOptions
from maskdet.cli.report_output import command_line

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


def model_options(settings: Mapping[str, Any], model: ModelOptions) -> ModelOptions:
    """Return the options of the detector, completed by the (checked) arguments."""
    keys = ("imgsz", "runtime", "precision", "augment", "trust_weights")
    given = {key: settings[key] for key in keys if key in settings}
    given |= {name: str(settings[key]) for name, key in (("weights", "model"), ("device", "device")) if key in settings}
    return replace(model, **given)


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


def as_typed(settings: Mapping[str, Any], data: str) -> str:
    """Return the command that made a report on ``data``, without the folders of the machine it ran on."""
    names = {key: Path(str(settings[key])).name for key in ("model", "project", "save_dir") if key in settings}
    words = [f"{key}={value}" for key, value in {**settings, **names, "data": data}.items()]
    order = (
        "arguments",
        "classifier",
        "close_ups",
        "near_copies",
        "stress",
        "json",
        "save",
        "folds",
        "mistakes",
        "calibrate",
        "final",
    )
    return command_line(order=order, instead={"arguments": words})
