"""What a run does with every picture: its models and options, and how two runs differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from maskdet.detector.inference.options import DetectorOptions
from maskdet.errors import WeightsError
from maskdet.prediction.pipeline import Mode, Predictor, choose_predictor
from maskdet.weights import checksum, resolve_weights, weights_name

#: Of the parts that hold the rows.
Format = Literal["parquet", "jsonl"]

#: Letters of a checksum that a message shows.
_SHOWN: Final = 12


class LoadedModels(NamedTuple):
    """What answers, and its classes by class id."""

    predictor: Predictor
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """Which models answer, and how; loaded alike in this process and on another machine.

    Attributes:
        mode: see ``maskdet.predict``.
        detector: options of ``MaskDetector``, ``threads`` not among them.
        classifier: as ``MaskClassifier`` takes it; asked in the modes ``chain`` and ``compare``.
    """

    mode: Mode = "detect"
    detector: DetectorOptions = field(default_factory=DetectorOptions)
    classifier: str | None = None

    def anywhere(self) -> ModelChoice:
        """Return the same choice with names that hold in another working folder.

        Raises:
            MaskdetError: a shipped model is missing or damaged.
        """
        detector: DetectorOptions = {**self.detector, "weights": weights_name(self._files()["weights"])}
        classifier = None if self.mode == "detect" else weights_name(self._files()["classifier"])
        return ModelChoice(mode=self.mode, detector=detector, classifier=classifier)

    def on_cpu(self) -> ModelChoice:
        """Return the same choice for a machine without the device."""
        detector: DetectorOptions = {**self.detector, "device": "cpu"}
        return ModelChoice(mode=self.mode, detector=detector, classifier=self.classifier)

    def fingerprint(self) -> dict[str, Any]:
        """Return the options, and in the place of a model's name the sha256 of its file.

        Raises:
            MaskdetError: a file is not there.
        """
        options = {name: value for name, value in self.detector.items() if name != "trust_weights"}
        return {"mode": self.mode, **options, **{name: _checksum(path) for name, path in self._files().items()}}

    def load(self, *, threads: int) -> LoadedModels:
        """Load the models.

        Args:
            threads: of each run of the detector.

        Raises:
            ValueError: an option out of its range, or one that does not go with another or with the file.
            MaskdetError: a file or the device cannot be used, or a package is missing.
        """
        from maskdet.detector.inference.model import MaskDetector

        options: DetectorOptions = {**self.detector, "threads": threads}
        detector = MaskDetector(**options)
        if self.mode == "detect":
            return LoadedModels(choose_predictor("detect", detector), detector.names)
        from maskdet.classifier.inference.model import MaskClassifier

        # It is an ONNX file, also where the detector is a .pt.
        runtime: Any = self.detector.get("runtime", "auto")
        classifier = MaskClassifier(
            self.classifier, device=self.detector.get("device"), runtime="auto" if runtime == "torch" else runtime
        )
        return LoadedModels(choose_predictor(self.mode, detector, classifier), detector.names)

    def _files(self) -> dict[str, Path]:
        """Return each model's file by the option that names it."""
        files = {"weights": resolve_weights(self.detector.get("weights"))[1]}
        if self.mode != "detect":
            files["classifier"] = resolve_weights(self.classifier, "classify")[1]
        return files


def _checksum(path: Path) -> str:
    try:
        return checksum(path)
    except OSError as error:
        raise WeightsError(path, f"cannot be read ({error.strerror})") from error


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that the rows of a run depend on, beside the pictures.

    Attributes:
        models: what answers.
        batch: pictures run at once.
        vid_stride: of videos every how-many-th frame is used.
        format: of the parts.
        shard_size: pictures a shard.
        limit: how many pictures of the list are used, None for all.
        sources: as they were named, with full paths.
    """

    models: ModelChoice
    batch: int = 1
    vid_stride: int = 1
    format: Format = "parquet"
    shard_size: int = 2000
    limit: int | None = None
    sources: tuple[str, ...] = ()

    def fingerprint(self) -> dict[str, Any]:
        """Return what is written into the manifest, and compared before a run goes on.

        Raises:
            MaskdetError: a model's file is not there.
        """
        told = self.models.fingerprint() | {"batch": self.batch, "vid_stride": self.vid_stride, "format": self.format}
        return told | {"shard_size": self.shard_size, "limit": self.limit, "sources": list(self.sources)}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what two fingerprints differ in, a phrase each.

    >>> differences({"conf": 0.25, "iou": 0.7}, {"conf": 0.4, "iou": 0.7})
    ['--conf 0.25 before, 0.4 now']
    >>> differences({"weights": "4f" * 32}, {"weights": "0a" * 32})
    ['the model of --weights (sha256 4f4f4f4f4f4f before, 0a0a0a0a0a0a now)']
    """
    told = []
    for name in {**before, **now}:
        first, second = before.get(name), now.get(name)
        if first == second:
            continue
        if name in {"weights", "classifier"}:
            shown = [str(one or "none")[:_SHOWN] for one in (first, second)]
            told.append(f"the model of --{name} (sha256 {shown[0]} before, {shown[1]} now)")
        elif name == "sources":
            told.append(f"the sources ({_names(first)} before, {_names(second)} now)")
        else:
            told.append(f"--{name.replace('_', '-')} {_value(first)} before, {_value(second)} now")
    return told


def _value(value: Any) -> str:
    return "not given" if value is None else str(value) if not isinstance(value, bool) else "on" if value else "off"


def _names(names: Any) -> str:
    return ", ".join(names or ["none"])
