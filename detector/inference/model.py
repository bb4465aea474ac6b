"""``MaskDetector``: one loaded model, from pictures to results."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, repeat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskdet.arguments import share, whole_number
from maskdet.detector.inference.close_ups import CloseUps, choose_close_ups
from maskdet.detector.inference.letterbox import Letterbox
from maskdet.detector.inference.options import DEFAULT_IOU
from maskdet.detector.inference.postprocess import Detections, best_confidence
from maskdet.detector.inference.runtime import Runtime, load_runtime
from maskdet.detector.inference.thresholds import (
    BEST_F1,
    ChainLimits,
    Threshold,
    chain_thresholds,
    class_thresholds,
    own_thresholds,
)
from maskdet.detector.inference.tiles import GPU_BATCH, MERGE_IOU, detect_tiled
from maskdet.detector.inference.views import Look, RawView
from maskdet.files.paths import AnyPath
from maskdet.imaging.tensor import to_tensor
from maskdet.results import ImageInfo, MaskResult, ModelInfo, faces_from_arrays
from maskdet.sessions.devices import Device, Precision, RuntimeName, device_name, is_cpu
from maskdet.sessions.processor import runs_at_once
from maskdet.weights import LoadedFrom, resolve_weights, weights_name


class MaskDetector:
    """A face-mask detector, loaded once and used for any number of pictures.

    Without arguments it is the shipped model, run by ONNX Runtime.

    Attributes:
        runtime: the loaded network.
        close_ups: how pictures are seen once more for faces that fill them, None where they are not.
        conf: the threshold as it was asked for.
        workers: calls from several threads at once that keep the processor busy.

    >>> detector = MaskDetector()
    >>> detector.detect(np.zeros((64, 64, 3), np.uint8)).counts
    {'with_mask': 0, 'without_mask': 0, 'mask_weared_incorrect': 0}
    """

    def __init__(
        self,
        weights: AnyPath | None = None,
        *,
        conf: Threshold = None,
        iou: float = DEFAULT_IOU,
        imgsz: int | None = None,
        agnostic_nms: bool = True,
        tile: bool | int = False,
        close_ups: bool | CloseUps | None = None,
        augment: bool = False,
        device: Device = "cpu",
        threads: int = 0,
        runtime: RuntimeName | Runtime = "auto",
        precision: Precision = "fp32",
        trust_weights: bool = False,
    ) -> None:
        """Load a model.

        Args:
            weights: an ``.onnx`` or ``.pt`` file, an OpenVINO folder, the name of a shipped model, or None for the
                default one.
            conf: a face is reported when its confidence exceeds this, 0 to 1; None for the thresholds that stand in the
                model's file, one a class, or 0.25 where there are none; ``"f1"`` for these and no others.
            iou: NMS threshold, 0 to 1.
            imgsz: longer side of the network's input in pixels, rounded up to a multiple of its stride; None for
                the size it was trained at.
            agnostic_nms: let boxes of different classes suppress each other, so that a face is reported once; False for
                NMS in each class alone, as ``yolo predict`` does it.
            tile: also look at large pictures in overlapping tiles, for small faces: True for tiles of the input's
                size, or their side in pixels of the picture (smaller ones are enlarged). Its cost grows with the
                picture: nine times for 1920 × 1080 pixels and tiles of 640.
            close_ups: see each picture once more at a small input, for faces that fill it: True, False, how, or None
                for what the model's file or its entry in ``models.json`` says; without a word there, none.
            augment: see each picture also mirrored and at 0.8 of the size, and fuse what is found: more accurate, and
                3.4 times the work. A network of fixed shape sees it mirrored only.
            device: ``"cpu"``, a CUDA index such as ``"0"`` or 0, ``"coreml"``, ``"directml"``, or ``"openvino:GPU"``; a
                ``torch.device``; or None for ``"cpu"``.
            threads: CPU threads of each run, 0 for one a core: soonest done with one picture. With 1 ``predict`` looks
                at as many pictures side by side as there are cores: soonest done with many.
            runtime: ``"onnx"``, ``"openvino"`` or ``"torch"``; ``"auto"`` goes by the file: see
                ``maskdet.sessions.devices``. Or a loaded network, instead of a file.
            precision: ``"fp32"``, or ``"bf16"`` for bfloat16 in OpenVINO, on a processor with such instructions: faster
                and less exact, see ``docs/runtimes.md``.
            trust_weights: unpickle a ``.pt`` file whatever it names, which runs what it says; without it such a file is
                refused where it names more than layers of torch and ultralytics.

        Raises:
            ValueError: a threshold outside 0 to 1; a size below 32 (of the input, or of a tile); an unknown runtime or
                precision, or one that does not go with the other; or close-ups asked for with a model of fixed shape,
                or at an input no smaller than the usual one.
            WeightsError: the file cannot be used, or not by this runtime.
            TypeError: the device is none of these, or a number is none.
            DeviceError: the device is unknown or not there, or cannot compute in this precision.
            MissingExtraError: a ``.pt`` file without the ``train`` extra, OpenVINO without the ``openvino`` extra.
        """
        if conf is not None and not isinstance(conf, str):
            conf = share("conf", conf, instead=repr(BEST_F1))
        iou = share("iou", iou)
        if imgsz is not None:
            imgsz = whole_number("imgsz", imgsz, low=32, high=8192, unit="pixels")
        if not isinstance(tile, bool):
            tile = whole_number("tile", tile, low=32, unit="pixels")
        threads = whole_number("threads", threads, low=0)
        device = device_name(device)
        if callable(runtime):
            if weights is not None:
                raise TypeError("a loaded network needs no weights: give one of weights and runtime")
            self._loaded: LoadedFrom | None = None
            self.runtime: Runtime = runtime
            name, path = runtime.spec.name, runtime.spec.path or Path(runtime.spec.name)
        else:
            name, path = resolve_weights(weights)
            options = {"device": device, "threads": threads, "runtime": runtime, "precision": precision}
            self._loaded = LoadedFrom(weights_name(path), {**options, "trust_weights": trust_weights})
            self.runtime = load_runtime(path, name=name, **self._loaded.options)
        spec = self.runtime.spec
        wanted = spec.imgsz if imgsz is None else imgsz
        self._imgsz = -(-wanted // spec.stride) * spec.stride
        if not spec.dynamic and self._imgsz != spec.imgsz:
            raise ValueError(f"{path} was exported for {spec.imgsz} px only; imgsz {self._imgsz} needs dynamic=True")
        self.close_ups = choose_close_ups(close_ups, path, spec, self._imgsz)
        self.conf, self._path = conf, path
        self._thresholds = class_thresholds(conf, spec.metadata, path, spec.names)
        self._iou, self._agnostic = iou, agnostic_nms
        self.augmented = augment
        parallel = is_cpu(device) and getattr(self.runtime, "side_by_side", False)
        self.workers = runs_at_once(threads) if parallel else 1
        self._tiles_at_once = 1 if is_cpu(device) else GPU_BATCH
        self._tile = self._imgsz if tile is True else int(tile)
        # The lowest, so that nothing is dropped before each class is held to its own.
        lowest = conf if isinstance(conf, float) else float(self._thresholds.min())
        self.info = ModelInfo(name, self._imgsz, lowest, spec.names)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle or a copy keeps: everything but a network from a file, which is loaded from it again.

        The file must be found where the detector is unpickled: a shipped model by its name, another by its full path.
        """
        return {key: value for key, value in self.__dict__.items() if key != "runtime" or self._loaded is None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Load the network again.

        Raises:
            MaskdetError: the file is not there, or cannot be used, or the device is not there.
        """
        self.__dict__.update(state)
        if self._loaded is not None:
            name, path = resolve_weights(self._loaded.weights)
            self.runtime = load_runtime(path, name=name, **self._loaded.options)

    @property
    def metadata(self) -> Mapping[str, str]:
        """What else the model's file says of itself, such as ``maskdet_training``."""
        return self.runtime.spec.metadata

    @property
    def names(self) -> tuple[str, ...]:
        """Its classes, by class id."""
        return self.runtime.spec.names

    @property
    def own_thresholds(self) -> npt.NDArray[np.float32] | None:
        """Those of its file, (C,) float32, where they hold; None without any, or where a number was asked for."""
        return None if isinstance(self.conf, float) else own_thresholds(self.metadata, self._path, self.names)

    def chain_limits(self, classifier: str) -> ChainLimits:
        """Return the thresholds of the chain with a classifier of this name.

        Raises:
            WeightsError: the file's thresholds cannot be read.
        """
        return chain_thresholds(self.conf, self.metadata, self._path, classifier)

    @property
    def tiled(self) -> bool:
        """Whether large pictures are also looked at in tiles."""
        return bool(self._tile)

    @property
    def agnostic(self) -> bool:
        """Whether boxes of different classes suppress each other."""
        return self._agnostic

    def letterbox(self, image: npt.NDArray[np.uint8], imgsz: int | None = None) -> Letterbox:
        """Return how ``image`` (H, W, 3) is fitted into this network's input, of ``imgsz`` pixels or the usual ones."""
        spec = self.runtime.spec
        height, width = image.shape[:2]
        return Letterbox.fit((height, width), imgsz or self._imgsz, spec.stride, auto=spec.dynamic)

    def look(self, images: Sequence[npt.NDArray[np.uint8]]) -> Iterator[Look]:
        """Run the network on whole pictures, with close-ups where this detector takes them.

        Args:
            images: each (H, W, 3) uint8 BGR; consecutive ones of one input shape run as one batch.
        """
        close = self.close_ups
        always = close is not None and close.below >= 1
        seconds = self.raw_outputs(images, close.imgsz) if close and always else repeat(None)
        wholes = self.raw_outputs(images)
        share = close.share if close else 0.0
        others: Iterator[tuple[RawView, ...]] = repeat(())
        if self.augmented:
            from maskdet.detector.inference.views import other_views

            others = other_views(self.raw_outputs, images, self._imgsz, self.runtime.spec)
        for image, whole, views, second in zip(images, wholes, others, seconds, strict=False):
            look = Look((image.shape[0], image.shape[1]), whole, second, share, views)
            if close and not always and best_confidence(whole[0]) < close.below:
                look = look._replace(close=next(self.raw_outputs([image], close.imgsz)))
            yield look

    def raw_outputs(
        self, images: Sequence[npt.NDArray[np.uint8]], imgsz: int | None = None
    ) -> Iterator[tuple[npt.NDArray[np.float32], Letterbox]]:
        """Run the network once, consecutive pictures of one input shape as one batch; always on whole pictures.

        Args:
            images: each (H, W, 3) uint8 BGR.
            imgsz: longer side of the input in pixels, a multiple of the network's stride; None for the usual one.

        Yields:
            For each picture the network's output as ``maskdet.detector.inference.postprocess.select`` takes it, and the
            letterbox that leads back to its pixels.
        """
        fitted = [(self.letterbox(image, imgsz), image) for image in images]
        # A network of fixed shape takes one picture at a time: every picture is then a group of its own.
        for _, pairs in groupby(fitted, key=lambda pair: pair[0].padded if self.runtime.spec.dynamic else id(pair)):
            members = list(pairs)
            output = self.runtime(to_tensor([letterbox.apply(image) for letterbox, image in members]))
            for raw, (letterbox, _) in zip(output, members, strict=True):
                yield raw, letterbox

    def detect_arrays(
        self,
        images: Sequence[npt.NDArray[np.uint8]],
        *,
        conf: float | None = None,
        iou: float | None = None,
        multi_label: bool = False,
        agnostic: bool | None = None,
    ) -> list[Detections]:
        """Detect in a batch and return plain arrays.

        Args:
            images: each (H, W, 3) uint8 BGR; consecutive ones of one input shape run as one batch.
            conf: threshold for this call, else the detector's.
            iou: NMS threshold for this call, else the detector's.
            agnostic: let boxes of different classes suppress each other in this call, else as the detector does.
            multi_label: see ``maskdet.detector.inference.postprocess.select``.
        """
        limits = self._thresholds if conf is None else None
        conf = self.info.conf if conf is None else conf
        iou = self._iou if iou is None else iou
        agnostic = self._agnostic if agnostic is None else agnostic

        def pick(look: Look) -> Detections:
            found = look.select(conf=conf, iou=iou, agnostic=agnostic, multi_label=multi_label)
            return found if limits is None else found.take(found.confidences > limits[found.class_ids])

        def see(tiles: Sequence[npt.NDArray[np.uint8]]) -> list[Detections]:
            # A face that fills a tile is the whole picture's to find.
            shapes = (tile.shape[:2] for tile in tiles)
            return [pick(Look(shape, whole)) for shape, whole in zip(shapes, self.raw_outputs(tiles), strict=True)]

        if not self._tile:
            return [pick(look) for look in self.look(images)]
        tiled = partial(
            detect_tiled, see, size=self._tile, iou=min(iou, MERGE_IOU), agnostic=agnostic, at_once=self._tiles_at_once
        )
        return [tiled(image, whole=pick(next(self.look([image])))) for image in images]

    def detect_batch(
        self, images: Sequence[npt.NDArray[np.uint8]], infos: Sequence[ImageInfo], *, keep_pixels: bool = True
    ) -> list[MaskResult]:
        """Detect in a batch of pictures, each (H, W, 3) uint8 BGR, whose origins are known.

        Args:
            keep_pixels: let each result hold its picture, for ``plot``.

        Returns:
            One result a picture; ``time_ms`` is the batch's time shared evenly.
        """
        start = time.perf_counter()
        found = self.detect_arrays(images)
        share = (time.perf_counter() - start) * 1000 / max(len(images), 1)
        return [
            MaskResult(faces_from_arrays(*one[:3], self.names), info, self.info, share, image if keep_pixels else None)
            for one, info, image in zip(found, infos, images, strict=True)
        ]

    def detect(self, image: npt.NDArray[np.uint8]) -> MaskResult:
        """Detect in one picture, (H, W, 3) uint8 BGR as OpenCV gives it.

        Raises:
            ValueError: the array has another shape or type.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise ValueError(f"expected a (H, W, 3) uint8 BGR array, got {image.shape} {image.dtype}")
        return self.detect_batch([image], [ImageInfo(None, image.shape[1], image.shape[0])])[0]
