"""Training: ultralytics' trainer under maskdet's recipe, with ``key=value`` arguments as in ``yolo``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from maskdet.datasets.labelled_picture import training_pictures
from maskdet.errors import MaskdetError, WeightsError
from maskdet.extras import require
from maskdet.safe_yaml import YamlError, load_yaml
from maskdet.weights import resolve_weights, shipped_models

RECIPE = Path(__file__).with_name("recipe.yaml")


def parse_arguments(arguments: Sequence[str]) -> dict[str, Any]:
    """Parse ``key=value`` words; values are YAML scalars or lists.

    Raises:
        MaskdetError: a word without ``=``.

    >>> parse_arguments(["epochs=3", "device=cpu", "cos_lr=True", "scale=0.5"])
    {'epochs': 3, 'device': 'cpu', 'cos_lr': True, 'scale': 0.5}
    """
    parsed: dict[str, Any] = {}
    for word in arguments:
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            raise MaskdetError(f"{word}: expected key=value, such as epochs=100")
        try:
            parsed[key.strip()] = load_yaml(value) if value else None
        except YamlError:
            parsed[key.strip()] = value  # such as a Windows path, which is not YAML
    return parsed


def read_recipe() -> dict[str, Any]:
    """Return the defaults of ``recipe.yaml``."""
    recipe: dict[str, Any] = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    return recipe


def train(arguments: Mapping[str, Any]) -> Path:
    """Train a detector.

    Args:
        arguments: ultralytics' training arguments, and those of ``TrainOptions``; what is missing comes from the
            recipe, then from ultralytics. ``model`` may also be a shipped detector's name, or an ONNX file that
            ``maskdet export`` wrote.

    Returns:
        The run's folder; its ``weights`` hold ``best.pt`` and ``last.pt``.

    Raises:
        MissingExtraError: the ``train`` extra is not installed.
        MaskdetError: a data set, weights or argument that ultralytics refuses.
        WeightsError: an ONNX file that cannot be trained on.
    """
    require("ultralytics", what="maskdet train", extra="train")
    import torch
    from ultralytics import YOLO
    from ultralytics.cfg import DEFAULT_CFG_DICT, get_cfg

    from maskdet.detector.trainer import MaskTrainer, TrainOptions
    from maskdet.detector.ultralytics_bridge import safe_loading
    from maskdet.detector.unfuse import unfuse

    settings = {**read_recipe(), **arguments}
    trusted = _check_starts(settings)
    if "device" not in settings and not torch.cuda.is_available() and not torch.backends.mps.is_available():
        settings["device"] = "cpu"
    if settings.get("device") != "cpu":
        # The low-resolution start saves hours on a CPU and minutes on a GPU: there it is only done when asked for.
        settings = {key: value for key, value in settings.items() if key in arguments or not key.startswith("early_")}
    own = {field.name for field in fields(TrainOptions)} & settings.keys()
    options = TrainOptions(**{name: settings.pop(name) for name in own})
    if unknown := sorted(set(settings) - set(DEFAULT_CFG_DICT)):
        raise MaskdetError(f"unknown argument {', '.join(unknown)}: see https://docs.ultralytics.com/usage/cfg")
    resume = settings.get("resume")
    if resume:
        # A resumed run keeps the arguments it was started with; only these may still be changed.
        settings = {key: value for key, value in settings.items() if key in arguments}
        settings.setdefault("model", resume if isinstance(resume, str) else None)
        if not settings["model"]:
            raise MaskdetError("resume=True needs the checkpoint: model=runs/…/weights/last.pt")
    elif not settings.get("data"):
        raise MaskdetError("which data? give data=…/data.yaml, as written by `maskdet convert`")
    weights = settings.pop("model")
    fused = None if resume else _exported(str(weights))
    try:
        get_cfg(DEFAULT_CFG_DICT, settings)
    except (SyntaxError, ValueError, TypeError) as error:
        raise MaskdetError(" ".join(str(error).split())) from error
    try:
        with ExitStack() as stack:
            stack.enter_context(safe_loading(trusted))
            if fused is not None:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maskdet-")))
                photos = training_pictures(str(settings["data"]), f"training from {fused.name} needs some")
                weights = unfuse(fused, photos, folder / f"{fused.stem}.pt")
            model = YOLO(weights, task="detect")
            model.train(trainer=partial(MaskTrainer, options=options), **settings)
    except RuntimeError as error:
        # ultralytics wraps whatever is wrong with a data set this way; other runtime errors are torch's own.
        if not str(error).startswith("Dataset "):
            raise
        raise MaskdetError(" ".join(str(error).replace("❌ ", "").split())) from error
    except (FileNotFoundError, ConnectionError) as error:
        raise MaskdetError(" ".join(str(error).split())) from error
    return Path(model.trainer.save_dir)


def _check_starts(settings: dict[str, Any]) -> bool:
    """Refuse files that cannot be trained from before ultralytics looks at them; what is not there it may fetch.

    Args:
        settings: the arguments; ``trust_weights`` is taken out.

    Returns:
        Whether checkpoints are trusted.

    Raises:
        MaskdetError: ``trust_weights`` is neither True nor False.
        WeightsError: a checkpoint that cannot be read, or another kind of file.
    """
    from maskdet.detector.checkpoint import read_checkpoint

    trusted = settings.pop("trust_weights", False)
    if not isinstance(trusted, bool):
        raise MaskdetError(f"trust_weights={trusted}: expected True or False")
    for value in (settings.get(key) for key in ("model", "pretrained", "resume")):
        path = Path(str(value))
        suffix = path.suffix.lower()
        if isinstance(value, bool) or value is None or value in shipped_models():
            continue
        if suffix == ".pt" and path.is_file():
            read_checkpoint(path, trusted=trusted)
        elif suffix not in {"", ".pt", ".onnx", ".yaml", ".yml"}:
            kinds = "a .pt checkpoint, an .onnx that maskdet export wrote, or a .yaml"
            raise WeightsError(path, f"cannot be trained from: expected {kinds}")
        elif suffix == ".onnx" and not path.is_file():
            raise WeightsError(path, "no such file")
    return trusted


def _exported(weights: str) -> Path | None:
    """Return the ONNX file that ``model=`` names, itself or as a shipped model; None for anything else."""
    if weights in shipped_models():
        return resolve_weights(weights)[1]
    return Path(weights) if weights.endswith(".onnx") else None
