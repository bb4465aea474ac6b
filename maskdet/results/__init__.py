"""What a prediction is: ``Face``, ``ImageInfo``, ``ModelInfo`` and ``MaskResult``, and the forms they can take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from maskdet.classes import CLASS_NAMES, compliance_of, count_compliant
from maskdet.files.paths import AnyPath

if TYPE_CHECKING:
    import pandas as pd
    import supervision as sv


SCHEMA = "maskdet/1"

#: Decimals kept in JSON and CSV: a hundredth of a pixel, a hundred-thousandth of a probability.
BOX_DECIMALS, CONFIDENCE_DECIMALS = 2, 5


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face.

    Attributes:
        name: class name, one of the model's: those of ``maskdet.classes.CLASS_NAMES``, or its own.
        class_id: its index there.
        confidence: 0 to 1.
        box: (x1, y1, x2, y2) in pixels of the upright image, clipped to it.
        track_id: identity over the frames of a video, where tracking is on.
        classifier: the crop classifier's answer, where one was asked.
    """

    name: str
    class_id: int
    confidence: float
    box: tuple[float, float, float, float]
    track_id: int | None = None
    classifier: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the face as one entry of ``detections`` in the JSON schema."""
        x1, y1, x2, y2 = (round(float(value), BOX_DECIMALS) for value in self.box)
        entry: dict[str, Any] = {
            "name": self.name,
            "class": self.class_id,
            "confidence": round(float(self.confidence), CONFIDENCE_DECIMALS),
            "box": {"x1": x1, "y1": y1, "x2": x2, "y2": y2},
            "track_id": self.track_id,
        }
        if self.classifier is not None:
            entry["classifier"] = self.classifier
        return entry


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Where a picture came from and its upright size in pixels; ``path`` is None for an array, ``"-"`` for stdin."""

    path: str | None
    width: int
    height: int
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model answered, at which input size (pixels) and confidence threshold, with which classes in order."""

    name: str
    imgsz: int
    conf: float
    names: tuple[str, ...] = CLASS_NAMES


@dataclass(frozen=True, slots=True)
class MaskResult:
    """The faces of one picture.

    Attributes:
        faces: most confident first.
        image: path and size of the picture.
        model: what found them.
        time_ms: preprocessing, inference and postprocessing, in milliseconds; decoding is not counted. Other pictures
            may have been looked at meanwhile.
        pixels: the picture itself, (H, W, 3) uint8 BGR, kept for ``plot``; never part of the JSON.
    """

    faces: list[Face]
    image: ImageInfo
    model: ModelInfo
    time_ms: float
    pixels: npt.NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)

    @property
    def counts(self) -> dict[str, int]:
        """Faces per class, zero included, in class order."""
        counted = dict.fromkeys(map(str, self.model.names), 0)
        for face in self.faces:
            counted[face.name] += 1
        return counted

    @property
    def compliant(self) -> int | None:
        """Faces that wear a mask properly, or None where the model's classes say nothing of it."""
        return count_compliant(self.counts)

    @property
    def compliance(self) -> float | None:
        """Share of faces that wear a mask properly; None where there is no face or the classes say nothing of it."""
        return compliance_of(self.counts)

    @property
    def boxes(self) -> npt.NDArray[np.float32]:
        """(N, 4) float32, xyxy in pixels."""
        return np.array([face.box for face in self.faces], dtype=np.float32).reshape(-1, 4)

    @property
    def confidences(self) -> npt.NDArray[np.float32]:
        """(N,) float32, 0 to 1."""
        return np.array([face.confidence for face in self.faces], dtype=np.float32)

    @property
    def class_ids(self) -> npt.NDArray[np.int64]:
        """(N,) int64 class ids."""
        return np.array([face.class_id for face in self.faces], dtype=np.int64)

    def to_dict(self) -> dict[str, Any]:
        """Return the result in the ``maskdet/1`` schema."""
        compliance = self.compliance
        return {
            "schema": SCHEMA,
            "image": asdict(self.image),
            "model": {"name": self.model.name, "imgsz": self.model.imgsz, "conf": self.model.conf},
            "time_ms": round(self.time_ms, 1),
            "detections": [face.to_dict() for face in self.faces],
            "counts": self.counts,
            "summary": {
                "faces": len(self.faces),
                "compliant": self.compliant,
                "compliance": None if compliance is None else round(compliance, 4),
            },
        }

    def to_json(self) -> str:
        """Return the result as one line of JSON."""
        from maskdet.results.json_lines import to_line

        return to_line(self.to_dict())

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> MaskResult:
        """Read a parsed ``maskdet/1`` object back: ``to_dict`` of the result gives it again. Pixels are not in it.

        Raises:
            ValueError: it is of another schema, something is missing, or a value cannot be right.
        """
        from maskdet.results.json_lines import to_result

        return to_result(data)

    @classmethod
    def from_json(cls, text: str | bytes) -> MaskResult:
        """Read one line of JSON Lines back; see ``from_dict``. ``maskdet.read_results`` reads a whole file."""
        from maskdet.results.json_members import parse

        return cls.from_dict(parse(text))

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one flat row a face: path, frame, name, class, confidence, x1, y1, x2, y2, track_id."""
        from maskdet.results.rows import to_rows

        return to_rows(self)

    def to_pandas(self) -> pd.DataFrame:
        """Return ``to_rows`` as a data frame; columns and their types are the same with and without faces.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        from maskdet.results.rows import to_frame

        return to_frame(self)

    def to_supervision(self) -> sv.Detections:
        """Return ``supervision.Detections``: xyxy (N, 4) float32 in pixels, confidence, class_id, data["class_name"].

        ``tracker_id`` is None where no face is tracked, and -1 for a face without a track among tracked ones.

        Raises:
            MissingExtraError: supervision is not installed.
        """
        from maskdet.results.rows import to_detections

        return to_detections(self)

    def to_coco(self, image_id: int, *, first_id: int = 1) -> list[dict[str, Any]]:
        """Return one COCO annotation a face, with ``score``, so that the list serves as COCO results too.

        ``bbox`` is x, y, width, height in pixels; ``category_id`` is the class id + 1, as COCO counts. Ids of
        annotations, from ``first_id`` on, must be unique in a file; 0 means "none" to COCO's code.
        """
        from maskdet.results.labels import to_annotations

        return to_annotations(self, image_id, first_id)

    def to_yolo(self, *, confidence: bool = False) -> str:
        """Return the text of a YOLO label file: ``class cx cy w h`` a line, shares of the picture with 6 decimals.

        With ``confidence`` each line ends with it, as ``yolo predict save_conf`` writes them: no label file to train
        on.
        """
        from maskdet.results.labels import to_lines

        return to_lines(self, confidence=confidence)

    def to_voc(self, *, filename: str | None = None, decimals: int = 0) -> str:
        """Return a Pascal VOC annotation as XML; ``maskdet convert`` reads the same classes and boxes from it.

        ``xmin`` to ``ymax`` are the box's edges from 0, in whole pixels as the format wants unless ``decimals`` are
        asked for. VOC has no place for the confidence. ``filename`` is by default ``image.path``'s (``STEM_000012.jpg``
        for a frame).
        """
        from maskdet.results.labels import to_xml

        return to_xml(self, filename=filename, decimals=decimals)

    def without_pixels(self) -> MaskResult:
        """Return the same result without its picture, which is most of its memory."""
        return replace(self, pixels=None)

    def plot(self) -> npt.NDArray[np.uint8]:
        """Return a copy of the picture with the boxes drawn, (H, W, 3) uint8 BGR.

        Raises:
            ValueError: the result does not hold its picture.
        """
        from maskdet.results.draw import draw_faces

        if self.pixels is None:
            raise ValueError("this result does not hold its picture: predict with keep_pixels=True")
        return draw_faces(self.pixels, self.faces)

    def _repr_html_(self) -> str:
        from maskdet.results.draw import to_html

        return to_html(self)

    def _repr_png_(self) -> bytes | None:
        from maskdet.results.draw import to_png

        return to_png(self)

    def save(self, path: AnyPath) -> Path:
        """Write the annotated picture to ``path`` (whole or not at all) and return it."""
        from maskdet.imaging.encode import write_picture

        return write_picture(Path(path), self.plot())


def faces_from_arrays(
    boxes: npt.NDArray[np.float32],
    confidences: npt.NDArray[np.float32],
    class_ids: npt.NDArray[np.int64],
    names: Sequence[str] = CLASS_NAMES,
) -> list[Face]:
    """Build faces from (N, 4) float32 xyxy in pixels, (N,) float32 confidences and (N,) int64 class ids."""
    rows: Sequence[Any] = boxes.tolist()
    return [
        Face(names[class_id], class_id, confidence, (row[0], row[1], row[2], row[3]))
        for row, confidence, class_id in zip(rows, confidences.tolist(), class_ids.tolist(), strict=True)
    ]
