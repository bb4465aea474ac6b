"""Export: a trained checkpoint as ONNX that explains itself, accepted only once it answers as torch does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from maskdet.datasets.photos.seen import KEY as SEEN_KEY
from maskdet.detector.export.rewrites import lay_out
from maskdet.detector.inference.close_ups import DEFAULT_CLOSE_UPS, KEY, CloseUps, read_close_ups
from maskdet.detector.inference.runtime import OnnxRuntime, Runtime, TorchRuntime
from maskdet.detector.inference.runtime.spec import NETWORK_KEY
from maskdet.detector.training.seen import SEEN_FILE
from maskdet.errors import MaskdetError, WeightsError
from maskdet.extras import require
from maskdet.files.guard import Guard

if TYPE_CHECKING:
    from maskdet.detector.export.quantise import Quantised


#: Largest difference allowed between torch's and ONNX Runtime's outputs: box coordinates in input pixels, and
#: probabilities. Both compute in float32, in another order.
BOX_TOLERANCE: Final = 0.05
SCORE_TOLERANCE: Final = 1e-3

#: Rows of an end-to-end output above this confidence are compared box by box.
CONFIDENT: Final = 0.05

#: What an application must do to a picture before the network sees it.
PREPROCESSING: Final = {
    "resize": "bilinear, longer side = imgsz, aspect kept",
    "pad": "grey 114 on both sides, to a multiple of stride",
    "layout": "NCHW",
    "channels": "RGB",
    "dtype": "float32",
    "range": "0 to 1",
}

#: Training arguments that identify a run; folders of the machine it ran on are left out.
_PROVENANCE_KEYS: Final = (
    "epochs",
    "batch",
    "imgsz",
    "nbs",
    "optimizer",
    "lr0",
    "cls_pw",
    "close_mosaic",
    "mosaic",
    "mixup",
    "copy_paste",
    "scale",
    "multi_scale",
    "cos_lr",
    "freeze",
    "seed",
    "amp",
)


@dataclass(frozen=True, slots=True)
class Parity:
    """Largest differences between torch and ONNX Runtime over the inputs tried."""

    box_px: float
    score: float

    @property
    def holds(self) -> bool:
        """Whether both are within tolerance."""
        return self.box_px <= BOX_TOLERANCE and self.score <= SCORE_TOLERANCE


class Exported(NamedTuple):
    """What was written.

    Attributes:
        rewritten: places of its graph that were rewritten for speed.
    """

    path: Path
    parity: Parity
    rewritten: int


def export(arguments: Mapping[str, Any]) -> Exported:
    """Write an ONNX file beside a checkpoint.

    Args:
        arguments: ``model`` (a ``.pt`` file), and ultralytics' export arguments; ``dynamic=True`` is the default, since
            photos are rarely square. ``close_ups=True`` lets the model ask for close-ups of every picture by itself,
            ``close_ups={imgsz: 160, share: 0.15, below: 0.95}`` in that way.

    Raises:
        MissingExtraError: the ``train`` extra is not installed.
        MaskdetError: no model was named, or ultralytics refuses an argument.
        WeightsError: the checkpoint is not a mask detector, or the ONNX file answers differently; it is then removed.
        DeviceError: ``device=`` is not in this machine.
    """
    require("ultralytics", what="maskdet export", extra="train")
    onnx = require("onnx", what="maskdet export", extra="train")
    from ultralytics import YOLO

    from maskdet.detector.inference.runtime.ultralytics_bridge import safe_loading, talk_on_stderr
    from maskdet.detector.training.arguments import choose_device

    settings = {"dynamic": True, "simplify": True, **arguments}
    close_ups, trusted = _close_ups(settings.pop(KEY, False)), settings.pop("trust_weights", False)
    if not isinstance(trusted, bool):
        raise MaskdetError(f"trust_weights={trusted}: expected True or False")
    source = settings.pop("model", None)
    if not source:
        raise MaskdetError("which model? give model=runs/…/weights/best.pt")
    source = Path(str(source))
    if source.suffix == ".onnx":
        raise MaskdetError(f"{source} is ONNX already; with int8=True data=…/data.yaml it is made INT8")
    if settings.pop("format", "onnx") != "onnx":
        raise MaskdetError("maskdet export writes ONNX; other formats: yolo export model=… format=…")
    if settings.get("nms"):
        raise MaskdetError("nms=True would do NMS twice: maskdet does it itself; nms=False takes YOLO26's own head")
    if settings.get("device") is not None:
        settings["device"] = choose_device(settings["device"])
    # Loaded first: it refuses files that are no mask detector before anything is written.
    if not source.is_file():
        raise WeightsError(source, "no such file")
    reference = TorchRuntime(source, name=source.stem, end_to_end=settings.get("nms") is False, trust_weights=trusted)
    settings.setdefault("imgsz", reference.spec.imgsz)
    Guard([source]).check_model(source.with_suffix(".onnx"))  # ultralytics would write over it
    try:
        with safe_loading(trusted), talk_on_stderr():
            model = YOLO(str(source), task="detect")
            target = Path(model.export(format="onnx", **settings))
    except (ValueError, TypeError, SyntaxError, AssertionError) as error:
        raise MaskdetError(" ".join(str(error).split())) from error
    proto = onnx.load(target)
    rewritten = lay_out(proto)
    metadata = {entry.key: entry.value for entry in proto.metadata_props} | {
        # ultralytics' description holds the path of the data on the training machine.
        "description": "maskdet face-mask detector",
        "maskdet": json.dumps({"schema": "maskdet-model/1", "preprocessing": PREPROCESSING}),
        **checkpoint_metadata(source, trusted=trusted),
    }
    if close_ups:
        metadata[KEY] = json.dumps(close_ups.to_dict())
    onnx.helper.set_model_props(proto, metadata)
    onnx.save(proto, target)
    parity = compare_runtimes(reference, OnnxRuntime(target, name=target.stem))
    if not parity.holds:
        target.unlink()
        reason = f"differs from torch by {parity.box_px:.3f} px and {parity.score:.5f} in probability: not kept"
        raise WeightsError(target, reason)
    return Exported(target, parity, rewritten)


def _close_ups(asked: object) -> CloseUps | None:
    """Return what ``close_ups=`` asks for."""
    if isinstance(asked, bool):
        return DEFAULT_CLOSE_UPS if asked else None
    try:
        return read_close_ups(asked, Path())
    except WeightsError as error:
        raise MaskdetError(
            f"{KEY}={asked}: expected True or False, or how as {{imgsz: 160, share: 0.15, below: 0.95}}: "
            "32 pixels or more, and parts from 0 to 1"
        ) from error


def export_int8(arguments: Mapping[str, Any]) -> Quantised:
    """Write an INT8 ONNX file beside a checkpoint, by way of its ONNX file, or beside an ONNX file.

    Args:
        arguments: ``model`` (a ``.pt`` or ``.onnx`` file), ``data`` (a ``data.yaml``), ``calibration_photos``, and what
            ``export`` takes, for a ``.pt``.

    Raises:
        MissingExtraError: the ``train`` extra is not installed.
        MaskdetError: no model or data was named, or an argument cannot be used.
        DatasetError: the data set has no training photos.
        WeightsError: not a mask detector, or quantised already.
    """
    from maskdet.detector.export.quantise import CALIBRATION_PHOTOS, quantise, training_photos

    settings = dict(arguments)
    data, photos = settings.pop("data", None), settings.pop("calibration_photos", CALIBRATION_PHOTOS)
    source = Path(str(settings.get("model") or ""))
    training_photos(data)  # what is missing should be said before the minute that export takes
    if source.suffix != ".onnx":
        source = export(settings).path
    elif others := sorted(set(settings) - {"model"}):
        raise MaskdetError(f"{others[0]}= is for a .pt file: {source} keeps the input and output that it has")
    return quantise(source, str(data), photos=photos)


def checkpoint_metadata(checkpoint: Path, *, trusted: bool = False) -> dict[str, str]:
    """Return what the ONNX file says of the checkpoint it is made of: how it was trained, and which network it is."""
    from maskdet.detector.inference.runtime.checkpoint import read_checkpoint

    content = read_checkpoint(checkpoint, trusted=trusted)
    seen = checkpoint.parent.parent / SEEN_FILE
    return {
        "maskdet_training": json.dumps(_training_provenance(content, checkpoint)),
        NETWORK_KEY: json.dumps(_network_description(content)),
        **({SEEN_KEY: seen.read_text(encoding="ascii").strip()} if seen.is_file() else {}),
    }


def _network_description(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return ultralytics' description of a checkpoint's network: classes, scale, backbone and head."""
    described = (content.get("ema") or content["model"]).yaml
    return {key: value for key, value in described.items() if key != "yaml_file"}


def _training_provenance(content: Mapping[str, Any], checkpoint: Path) -> dict[str, Any]:
    """Return how a checkpoint was trained: its arguments, data set, library and date, without machine paths."""
    arguments = content.get("train_args", {})
    provenance: dict[str, Any] = {key: arguments[key] for key in _PROVENANCE_KEYS if key in arguments}
    if arguments.get("model"):
        provenance["start"] = Path(str(arguments["model"])).name
    if arguments.get("data"):
        data = Path(str(arguments["data"]))
        # Of a fold the file says which: its detector may be tested on that fold's photos alone.
        provenance["data"] = data.parent.name if data.stem == "data" else f"{data.parent.name}/{data.name}"
    options = checkpoint.parent.parent / "maskdet.yaml"
    if options.is_file():
        from maskdet.files.safe_yaml import YamlError, read_yaml

        try:
            said = read_yaml(options)
        except (OSError, YamlError) as error:
            raise MaskdetError(f"{options}: holds no options of a training run") from error
        provenance.update(said if isinstance(said, dict) else {})
    provenance["ultralytics"] = content.get("version")
    provenance["date"] = str(content.get("date", ""))[:10]
    return provenance


def compare_runtimes(
    first: Runtime,
    second: Runtime,
    batches: Sequence[npt.NDArray[np.float32]] | None = None,
    *,
    seed: int = 0,
    least: float = -1.0,
) -> Parity:
    """Run both on the same inputs.

    Outputs of different shapes differ infinitely. Rows of an end-to-end output are compared where they are confident:
    among the others, whose confidences are nearly equal, the order means nothing.

    Args:
        batches: each (N, 3, H, W) float32 RGB in 0 to 1; where none are given a smooth scene and noise, square and,
            where allowed, 4:3 and a batch of two.
        seed: of the scene and the noise.
        least: probability that a box must exceed in the first network to be compared; every box by default.
    """
    box_px = score = 0.0
    for batch in _noise(second, seed) if batches is None else batches:
        one, two = first(batch), second(batch)
        if one.shape != two.shape:
            return Parity(float("inf"), float("inf"))
        if one.shape[-1] == 6:  # rows x1, y1, x2, y2, confidence, class
            score = max(score, float(np.abs(one[..., 4] - two[..., 4]).max()))
            confident = one[..., 4] > CONFIDENT
            box_px = max(box_px, float(np.abs(one[confident] - two[confident])[:, :4].max(initial=0)))
            continue
        compared = one[:, 4:].max(axis=1, keepdims=True) > least
        box_px = max(box_px, float((np.abs(one[:, :4] - two[:, :4]) * compared).max()))
        score = max(score, float(np.abs(one[:, 4:] - two[:, 4:]).max()))
    return Parity(box_px, score)


def _noise(network: Runtime, seed: int) -> Iterator[npt.NDArray[np.float32]]:
    size, stride = network.spec.imgsz, network.spec.stride
    shapes = [(1, 3, size, size)]
    if network.spec.dynamic:
        wide = max(round(size * 0.75 / stride), 1) * stride
        shapes += [(1, 3, wide, size), (2, 3, size, wide)]
    rng = np.random.default_rng(seed)
    for shape in shapes:
        yield _scene(rng, shape)
        yield rng.random(shape, dtype=np.float32)


def _scene(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Blurred noise: edges and gradients at the scale of a photo, so that activations look as they do in use."""
    import cv2

    coarse = rng.random((shape[0], shape[2] // 16, shape[3] // 16, 3), dtype=np.float32)
    planes = [cv2.resize(plane, (shape[3], shape[2]), interpolation=cv2.INTER_CUBIC) for plane in coarse]
    return np.ascontiguousarray(np.clip(np.stack(planes), 0, 1).transpose(0, 3, 1, 2), dtype=np.float32)
