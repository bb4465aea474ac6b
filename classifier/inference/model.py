"""``MaskClassifier``: one loaded model, from face crops, or boxes in a picture, to classes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.arguments import whole_number
from maskdet.classes import CLASS_NAMES, ClassName
from maskdet.classifier.crops.window import crop_windows, cut, fit_whole
from maskdet.classifier.inference.runtime import ClassifierRuntime
from maskdet.files.paths import AnyPath
from maskdet.imaging.tensor import to_tensor
from maskdet.results import CONFIDENCE_DECIMALS, Face, ImageInfo, MaskResult, ModelInfo
from maskdet.sessions.devices import Device, RuntimeName, device_name
from maskdet.weights import LoadedFrom, resolve_weights, weights_name

#: Crops run at once: 40 MB of input at 224 px, and more at once is no faster.
MAX_BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class CropAnswer:
    """What the classifier says of one crop: the most probable class, and the probability of each by ``CLASS_NAMES``."""

    name: ClassName
    class_id: int
    confidence: float
    probabilities: tuple[float, ...]

    @classmethod
    def of(cls, probabilities: npt.NDArray[np.float32]) -> CropAnswer:
        """Build the answer from (3,) float32 probabilities; of equal ones the first class wins.

        >>> CropAnswer.of(np.array([0.25, 0.5, 0.25], np.float32)).name
        'without_mask'
        """
        class_id = int(probabilities.argmax())
        values = tuple(probabilities.tolist())
        return cls(CLASS_NAMES[class_id], class_id, values[class_id], values)

    def to_dict(self) -> dict[str, Any]:
        """Return the entry ``classifier`` of the JSON schema, with the probability of every class.

        >>> CropAnswer("with_mask", 0, 0.75, (0.75, 0.25, 0.0)).to_dict()["probabilities"]
        {'with_mask': 0.75, 'without_mask': 0.25, 'mask_weared_incorrect': 0.0}
        """
        rounded = [round(value, CONFIDENCE_DECIMALS) for value in self.probabilities]
        return {
            "name": self.name,
            "confidence": round(self.confidence, CONFIDENCE_DECIMALS),
            "probabilities": dict(zip(CLASS_NAMES, rounded, strict=True)),
        }


class MaskClassifier:
    """A classifier of face crops, loaded once and used for any number of them; run without torch.

    ``spec`` is what the model's file says of its input and of how it wants faces cut, ``info`` how results name it.
    """

    def __init__(
        self,
        weights: AnyPath | None = None,
        device: Device = "cpu",
        threads: int = 0,
        runtime: RuntimeName = "auto",
    ) -> None:
        """Load a model.

        Args:
            weights: an ``.onnx`` file written by ``maskdet.classifier.training.export``, the name of a shipped model,
                or None for the default one.
            device: ``"cpu"``, a CUDA index such as ``"0"`` or 0, ``"coreml"``, ``"directml"``, or ``"openvino:GPU"``; a
                ``torch.device``; or None for ``"cpu"``.
            threads: CPU threads, 0 for one a core.
            runtime: ``"onnx"`` or ``"openvino"``; ``"auto"`` is ONNX Runtime, but for a device of OpenVINO's.

        Raises:
            ValueError: an unknown runtime.
            WeightsError: the file cannot be used, or no classifier is shipped and none was named.
            TypeError: the device is none of these.
            DeviceError: the device is unknown or not there.
            MissingExtraError: OpenVINO without the ``openvino`` extra.
        """
        threads = whole_number("threads", threads, low=0)
        name, path = resolve_weights(weights, "classify")
        self._loaded = LoadedFrom(
            weights_name(path), {"device": device_name(device), "threads": threads, "runtime": runtime}
        )
        self._runtime = ClassifierRuntime(path, name=name, **self._loaded.options)
        self.spec = self._runtime.spec
        self.info = ModelInfo(name, self.spec.side, 0.0)

    @property
    def path(self) -> Path:
        """The file or folder that it was loaded from."""
        return resolve_weights(self._loaded.weights, "classify")[1]

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle or a copy keeps, as ``MaskDetector`` does: everything but the loaded network."""
        return {key: value for key, value in self.__dict__.items() if key != "_runtime"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Load the network again.

        Raises:
            MaskdetError: the file is not there, or cannot be used, or the device is not there.
        """
        self.__dict__.update(state)
        name, path = resolve_weights(self._loaded.weights, "classify")
        self._runtime = ClassifierRuntime(path, name=name, **self._loaded.options)

    def probabilities(self, crops: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        """Classify pictures that already are face crops.

        Each is taken as the model's own crop: as if it had been cut with the model's margin. One that is not square is
        brought to a square by repeating its edge, where the model's crops are squares, so that the face is not
        distorted; else it is stretched, as in training. Crops that end at the face's edge show the model less than it
        was trained on: with the photo at hand, ``classify_boxes`` cuts better.

        Args:
            crops: each (h, w, 3) uint8 BGR, from 1×1.

        Returns:
            (N, 3) float32 in the order of ``CLASS_NAMES``; each row's sum is 1.

        Raises:
            ValueError: a crop has another shape or type.
        """
        for crop in crops:
            _check_picture(crop)
        prepared = (fit_whole(crop, self.spec.side, square=self.spec.square) for crop in crops)
        return self._run(prepared, len(crops))

    def classify(self, crop: npt.NDArray[np.uint8]) -> CropAnswer:
        """Classify one face crop, (h, w, 3) uint8 BGR; see ``probabilities``.

        Raises:
            ValueError: the array has another shape or type.
        """
        return CropAnswer.of(self.probabilities([crop])[0])

    def classify_boxes(self, image: npt.NDArray[np.uint8], boxes: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Cut faces out of a picture as the model wants them, and classify them.

        Args:
            image: (H, W, 3) uint8 BGR.
            boxes: (N, 4) float, xyxy in pixels; what lies outside the picture is clipped off first, as in the
                annotations that the model was trained on.

        Returns:
            (N, 3) float32 in the order of ``CLASS_NAMES``; each row's sum is 1.

        Raises:
            ValueError: an array has another shape or type, or a box is not finite or has its corners swapped.
        """
        _check_picture(image)
        height, width = image.shape[:2]
        inside = np.clip(_check_boxes(boxes), 0, np.array([width, height, width, height], dtype=np.float64))
        windows = crop_windows(inside, (width, height), margin=self.spec.margin, square=self.spec.square)
        return self._run((cut(image, window, self.spec.side) for window in windows), len(windows))

    def predict_batch(
        self, images: Sequence[npt.NDArray[np.uint8]], infos: Sequence[ImageInfo], *, keep_pixels: bool = True
    ) -> list[MaskResult]:
        """Classify crops whose origins are known, as results with one face that covers the whole crop.

        Args:
            images: each (h, w, 3) uint8 BGR.
            infos: one a crop.
            keep_pixels: let each result hold its crop, for ``plot``.

        Returns:
            One result a crop. The face's ``confidence`` is its class's probability, and its ``classifier`` holds the
            probability of every class; ``time_ms`` is the batch's time shared evenly.

        Raises:
            ValueError: a crop has another shape or type.
        """
        start = time.perf_counter()
        answers = [CropAnswer.of(row) for row in self.probabilities(images)]
        share = (time.perf_counter() - start) * 1000 / max(len(images), 1)
        return [
            MaskResult([_whole_face(answer, info)], info, self.info, share, image if keep_pixels else None)
            for answer, info, image in zip(answers, infos, images, strict=True)
        ]

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run the bare network: (N, 3, side, side) float32 RGB in 0 to 1, to (N, 3) float32 probabilities."""
        return self._runtime(batch)

    def _run(self, crops: Iterable[npt.NDArray[np.uint8]], count: int) -> npt.NDArray[np.float32]:
        """Run ``count`` crops (side, side, 3), at most ``MAX_BATCH`` in memory at once."""
        answers = np.empty((count, len(CLASS_NAMES)), dtype=np.float32)
        waiting = iter(crops)
        for start in range(0, count, MAX_BATCH):
            answers[start : start + MAX_BATCH] = self._runtime(to_tensor(list(islice(waiting, MAX_BATCH))))
        return answers


def _whole_face(answer: CropAnswer, info: ImageInfo) -> Face:
    box = (0.0, 0.0, float(info.width), float(info.height))
    return Face(answer.name, answer.class_id, answer.confidence, box, classifier=answer.to_dict())


def _check_picture(image: npt.NDArray[np.uint8]) -> None:
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        found = f"{image.shape} {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"expected a (H, W, 3) uint8 BGR array, got {found}")
    if 0 in image.shape:
        raise ValueError(f"expected a picture of at least 1×1, got {image.shape}")


def _check_boxes(boxes: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    if not isinstance(boxes, np.ndarray) or boxes.ndim != 2 or boxes.shape[1] != 4 or boxes.dtype.kind != "f":
        found = f"{boxes.shape} {boxes.dtype}" if isinstance(boxes, np.ndarray) else type(boxes).__name__
        raise ValueError(f"expected (N, 4) float boxes x1, y1, x2, y2, got {found}")
    if not np.isfinite(boxes).all() or (boxes[:, :2] > boxes[:, 2:]).any():
        raise ValueError("boxes must be finite, with x1 ≤ x2 and y1 ≤ y2")
    return boxes.astype(np.float64)
