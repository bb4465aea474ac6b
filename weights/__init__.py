"""The shipped models: where they lie, what they are, and whether they are intact."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.errors import WeightsError

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class ShippedModel:
    """One entry of ``models.json``.

    Attributes:
        name: such as ``"maskdet-n"``.
        path: the ONNX file.
        sha256: its checksum, hexadecimal.
        card: everything else the entry says: classes, imgsz, recipe, data, split, figures.
    """

    name: str
    path: Path
    sha256: str
    card: dict[str, Any]

    def verify(self) -> Path:
        """Return the path once the file is there and its checksum is right.

        Raises:
            WeightsError: the file is missing or damaged.
        """
        if not self.path.is_file():
            raise WeightsError(self.path, f"the shipped model {self.name} is missing; reinstall maskdet")
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        if digest != self.sha256:
            raise WeightsError(
                self.path, f"damaged: sha256 {digest[:12]}… instead of {self.sha256[:12]}…; reinstall maskdet"
            )
        return self.path


@functools.cache
def _registry() -> dict[str, Any]:
    registry: dict[str, Any] = json.loads((FOLDER / "models.json").read_text(encoding="utf-8"))
    return registry


def shipped_models() -> dict[str, ShippedModel]:
    """Return every shipped model by name."""
    return {
        name: ShippedModel(
            name,
            FOLDER / entry["file"],
            entry["sha256"],
            {key: value for key, value in entry.items() if key not in {"file", "sha256"}},
        )
        for name, entry in _registry()["models"].items()
    }


def default_model() -> ShippedModel:
    """Return the model used where none is named."""
    return shipped_models()[_registry()["default"]]


def resolve_weights(weights: str | Path | None) -> tuple[str, Path]:
    """Turn what a caller named into (model name, path).

    Args:
        weights: None for the default model, the name of a shipped one, or a file.

    Raises:
        WeightsError: a shipped model is missing or damaged.
    """
    models = shipped_models()
    if weights is None:
        model = default_model()
    elif str(weights) in models:
        model = models[str(weights)]
    else:
        return Path(weights).stem, Path(weights)
    return model.name, model.verify()
