"""Which model answers, where and by what it runs, and how often it looks at a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from maskdet.cli.options import option
from maskdet.detector.inference.options import DEFAULT_IOU
from maskdet.prediction.quality import Preset, Quality, default_mode, with_quality
from maskdet.sessions.devices import PRECISIONS, RUNTIMES, Precision, RuntimeName

if TYPE_CHECKING:
    from maskdet.chain.on_demand import OnDemand
    from maskdet.classifier.inference.model import MaskClassifier
    from maskdet.detector.inference.model import MaskDetector
    from maskdet.detector.inference.thresholds import Threshold
    from maskdet.prediction.pipeline import Mode, Predictor


class ConfidenceType(click.FloatRange):
    """A threshold, as ``MaskDetector(conf=…)`` takes it: a number from 0 to 1, or ``f1``."""

    name = "float range or f1"

    def __init__(self) -> None:
        """Take numbers from 0 to 1."""
        super().__init__(0, 1)

    def convert(  # type: ignore[override]
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | Literal["f1"]:
        """Return the number, or the word itself."""
        if value == "f1":
            return "f1"
        number: float = super().convert(value, param, ctx)
        return number


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """The models of a command, as its options ask for them; see ``MaskDetector`` for what each does."""

    quality: Quality = option(
        "--quality",
        type=click.Choice(get_args(Quality)),
        default="standard",
        show_default=True,
        help="fast: 8 bits, the detector alone, 512 px; best: the larger maskdet-s. Single options win.",
    )
    mode: Mode | None = option(
        "--mode",
        type=click.Choice(["detect", "chain", "compare"]),
        help="The detector alone; with the classifier in one answer; or both answers side by side.  "
        "[default: chain, with a detector of your own detect]",
    )
    weights: str | None = option(
        "--weights", metavar="FILE", help="An .onnx or .pt model, an OpenVINO folder, or a shipped one's name."
    )
    classifier: str | None = option("--classifier", metavar="FILE", help="The classifier of chain and compare.")
    conf: Threshold = option(
        "--conf",
        type=ConfidenceType(),
        help="Confidence threshold; f1 for the model's own, one a class.  [default: these, else 0.25]",
    )
    iou: float = option(
        "--iou", type=click.FloatRange(0, 1), default=DEFAULT_IOU, show_default=True, help="IoU threshold of NMS."
    )
    imgsz: int | None = option(
        "--imgsz", type=click.IntRange(32, 8192), help="Longer side of the network's input, in pixels."
    )
    agnostic_nms: bool = option(
        "--agnostic-nms/--no-agnostic-nms",
        default=True,
        help="Report a face once, though two classes answer.  [default: agnostic-nms]",
    )
    device: str = option(
        "--device",
        default="cpu",
        show_default=True,
        help="cpu, the index of a CUDA GPU, coreml, directml, or openvino:GPU and the like.",
    )
    runtime: RuntimeName = option(
        "--runtime",
        type=click.Choice(RUNTIMES),
        default="auto",
        show_default=True,
        help="What runs the model; auto: ONNX Runtime for .onnx, OpenVINO for its folder, torch for .pt.",
    )
    precision: Precision = option(
        "--precision",
        type=click.Choice(PRECISIONS),
        default="fp32",
        show_default=True,
        help="bf16: bfloat16 in OpenVINO, faster and less exact, on processors with such instructions.",
    )
    trust_weights: bool = option(
        "--trust-weights",
        is_flag=True,
        help="Load a .pt file whatever it names, which runs what it says: only where you trust its maker.",
    )
    tile: bool = option("--tile", is_flag=True, help="Look at large pictures in tiles too, for small faces (slower).")
    tile_size: int | None = option(
        "--tile-size", type=click.IntRange(32, 8192), help="Side of a tile, in pixels; switches --tile on."
    )
    close_ups: bool | None = option(
        "--close-ups/--no-close-ups",
        default=None,
        help="See each picture once more at a small input, for faces that fill it.  [default: as the model asks]",
    )
    augment: bool | None = option(
        "--augment/--no-augment",
        default=None,
        help="See each picture also mirrored and smaller, and fuse what is found (more accurate, 3.4 times the work).",
    )

    def settled(self) -> ModelOptions:
        """Return the options with those of ``quality``, and a mode, in the place of what was not given."""
        mode = "chain" if self.mode is None and self.classifier is not None else self.mode
        given = {name: getattr(self, name) for name in Preset._fields} | {"mode": mode}
        chosen = replace(self, **with_quality(self.quality, **given))
        return chosen if chosen.mode else replace(chosen, mode=default_mode(chosen.weights))

    def check(self) -> None:
        """Stop at options that contradict each other, before anything is loaded.

        Raises:
            click.UsageError: there are such.
        """
        if self.classifier is not None and self.mode == "detect":
            raise click.UsageError("--classifier belongs to --mode chain or compare")

    def open_detector(self, *, threads: int = 0) -> MaskDetector:
        """Load the detector, with ``threads`` for each run.

        Raises:
            click.UsageError: an option out of its range, or one that does not go with another or with the file.
            MaskdetError: the file or the device cannot be used, or a package is missing.
        """
        from maskdet.detector.inference.model import MaskDetector

        try:
            return MaskDetector(
                self.weights,
                conf=self.conf,
                iou=self.iou,
                imgsz=self.imgsz,
                agnostic_nms=self.agnostic_nms,
                tile=self.tile_size or self.tile,
                close_ups=self.close_ups,
                augment=bool(self.augment),
                device=self.device,
                threads=threads,
                runtime=self.runtime,
                precision=self.precision,
                trust_weights=self.trust_weights,
            )
        except ValueError as error:
            raise click.UsageError(str(error)) from error

    def open_classifier(self) -> MaskClassifier:
        """Load the classifier.

        Raises:
            MaskdetError: the file or the device cannot be used, or a package is missing.
        """
        return self._load_classifier(threads=0)()

    def _load_classifier(self, *, threads: int) -> OnDemand:
        from maskdet.chain.on_demand import on_demand

        # It is an ONNX file, also where the detector is a .pt.
        runtime = "auto" if self.runtime == "torch" else self.runtime
        return on_demand(self.classifier, device=self.device, runtime=runtime, threads=threads)

    def open(self, *, threads: int = 0) -> tuple[MaskDetector, Predictor]:
        """Return the detector and what answers: it alone, or with the classifier where the (settled) mode asks it.

        The shipped classifier is loaded for the first face that needs it.

        Raises:
            click.UsageError: see ``open_detector``.
            MaskdetError: a model cannot be used.
        """
        classifier = None if self.mode == "detect" else self._load_classifier(threads=threads)
        detector = self.open_detector(threads=threads)
        from maskdet.prediction.pipeline import choose_predictor

        if classifier is not None and self.classifier is not None:
            classifier()  # what is wrong with a file that was named is said before anything is read
        # A mode of None asks for no answer before there is a face.
        return detector, choose_predictor(None if self.mode == "chain" else self.mode, detector, classifier)
