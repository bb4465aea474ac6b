"""The shipped models: where they lie, what they are, and whether they are intact."""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from maskdet.errors import WeightsError
from maskdet.files.paths import AnyPath

#: Where the registry of the shipped models and their files lie; every function here takes another folder instead.
FOLDER = Path(__file__).resolve().parent

#: What a model does: find faces in a picture, or tell a face's class from its crop. The words are ultralytics'.
Task = Literal["detect", "classify"]

#: Bytes hashed at once: a whole model in memory would only have to be cleared by the kernel first.
_PIECE: Final = 1 << 18

#: How messages call a model of each task.
TASK_NOUNS: Final[dict[Task, str]] = {"detect": "detector", "classify": "classifier"}

#: How a caller names a model of each task.
_WAYS: Final[dict[Task, str]] = {
    "detect": "name one: --weights FILE, MaskDetector(FILE)",
    "classify": "name one: --weights FILE (detect: --classifier FILE), MaskClassifier(FILE) in Python",
}


@dataclass(frozen=True, slots=True)
class ShippedModel:
    """One entry of ``models.json``.

    Attributes:
        name: such as ``"maskdet-n"``.
        path: the ONNX file.
        sha256: its checksum, hexadecimal.
        card: everything else the entry says: classes, imgsz, recipe, data, split, figures.
        task: what it does.
    """

    name: str
    path: Path
    sha256: str
    card: dict[str, Any]
    task: Task = "detect"

    def verify(self) -> Path:
        """Return the path once the file is there and its checksum is right.

        Raises:
            WeightsError: the file is missing or damaged.
        """
        if not self.path.is_file():
            raise WeightsError(self.path, f"the shipped model {self.name} is missing; reinstall maskdet")
        digest = checksum(self.path)
        if digest != self.sha256:
            raise WeightsError(
                self.path, f"damaged: sha256 {digest[:12]}… instead of {self.sha256[:12]}…; reinstall maskdet"
            )
        return self.path


@dataclass(frozen=True, slots=True)
class LoadedFrom:
    """What a loaded model was made of, so that another process can load it again.

    Attributes:
        weights: as ``resolve_weights`` takes it.
        options: what else its loader was given.
    """

    weights: str
    options: dict[str, Any]


def weights_name(path: Path) -> str:
    """Return a name for a model's file that holds in another working folder, or another installation.

    Args:
        path: as ``resolve_weights`` gave it.

    Returns:
        The name of a shipped model, else the absolute path.
    """
    return next((model.name for model in shipped_models().values() if model.path == path), str(path.absolute()))


def identify(weights: AnyPath | None, task: Task = "detect") -> dict[str, str]:
    """Return name and SHA-256 of what ``resolve_weights`` finds: a report then says which file it is of.

    Raises:
        WeightsError: as ``resolve_weights``.
    """
    name, path = resolve_weights(weights, task)
    return {"name": name, "sha256": checksum(path)}


def checksum(path: Path) -> str:
    """Return the SHA-256 of a model file, hexadecimal; of a folder, that of its files one after the other by name."""
    import hashlib  # and with it OpenSSL: who names a file of their own does without

    files = sorted(child for child in path.iterdir() if child.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for model_file in files:
        with model_file.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    return digest.hexdigest()


@functools.cache
def _read(folder: Path) -> dict[str, Any]:
    registry: dict[str, Any] = json.loads((folder / "models.json").read_text(encoding="utf-8"))
    return registry


def shipped_models(folder: Path | None = None) -> dict[str, ShippedModel]:
    """Return every shipped model by name, detectors and classifiers; ``folder`` holds another registry."""
    folder = folder or FOLDER
    return {
        name: ShippedModel(
            name,
            folder / entry["file"],
            entry["sha256"],
            {key: value for key, value in entry.items() if key not in {"file", "sha256", "task"}},
            entry["task"],
        )
        for name, entry in _read(folder)["models"].items()
    }


def card_of(path: Path, folder: Path | None = None) -> dict[str, Any]:
    """Return what ``models.json`` says of a shipped model's file; nothing of any other file, whatever its name."""
    return next((model.card for model in shipped_models(folder).values() if model.path == path), {})


def seen_marks(path: Path, folder: Path | None = None) -> str:
    """Return the marks of the photos that a shipped model's file has learnt from and does not carry itself.

    They stand in ``seen.json``, as ``maskdet.datasets.photos.seen`` makes them; of any other file there are none.
    """
    folder = folder or FOLDER
    name = next((model.name for model in shipped_models(folder).values() if model.path == path), None)
    record = json.loads((folder / "seen.json").read_text(encoding="utf-8"))
    return "".join(record["photos"][part] for part in record["models"].get(name, ()))


def default_model(task: Task = "detect", folder: Path | None = None) -> ShippedModel:
    """Return the model used for a task where none is named.

    Raises:
        WeightsError: none is shipped for it.
    """
    name = _read(folder or FOLDER)["default"].get(task)
    if name is None:
        raise WeightsError("weights", f"no {TASK_NOUNS[task]} is shipped with this version; {_WAYS[task]}")
    return shipped_models(folder)[name]


def classifier_at_hand(folder: Path | None = None) -> bool:
    """Whether a classifier is shipped, and its file is there."""
    name = _read(folder or FOLDER)["default"].get("classify")
    return name is not None and shipped_models(folder)[name].path.is_file()


def resolve_weights(weights: AnyPath | None, task: Task = "detect", folder: Path | None = None) -> tuple[str, Path]:
    """Turn what a caller named into (model name, path).

    Args:
        weights: None for the task's default model, the name of a shipped one, or a file or folder.
        task: what the model is wanted for.
        folder: another registry's.

    Raises:
        WeightsError: a shipped model is missing, damaged or of another task, the name is empty, or there is no default.
    """
    models = shipped_models(folder)
    if weights is not None and not os.fspath(weights):
        raise WeightsError("weights", "the name is empty")
    if weights is None:
        model = default_model(task, folder)
    elif (named := os.fsdecode(weights)) in models:
        model = models[named]
        if model.task != task:
            raise WeightsError(model.name, f"is a {TASK_NOUNS[model.task]}, not a {TASK_NOUNS[task]}")
    else:
        # yolo export writes best.pt as best_openvino_model/.
        return Path(named).stem.removesuffix("_openvino_model"), Path(named)
    return model.name, model.verify()
