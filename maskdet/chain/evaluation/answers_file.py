"""What the models of folds said of every photo, as one compressed JSON file: the tables come out of it without a model.

``maskdet-fold-answers/1``: for each part its models' checksums, and for each photo its name, its group of alike photos,
its labelled faces, what the detector found and reported, and both networks' scores of the boxes, one a face. Boxes are
whole hundredths of a pixel, scores have five digits. Figures are computed from rounded answers also where the models
were at hand, so that a file gives the same ones.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskdet.chain.evaluation.answers import PhotoAnswers
from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.folds.fold_set import FoldSet
from maskdet.detector.evaluation.folds.report import FoldModel
from maskdet.detector.evaluation.labelled_split import LabelledSplit, Truth
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import DatasetError
from maskdet.files.atomic import write_bytes
from maskdet.statistics.figures import plain

SCHEMA: Final = "maskdet-fold-answers/1"
#: How a file of answers is known from a folder of folds.
ENDING: Final = ".json.gz"
#: Parts of a pixel that are kept.
_PIXEL = 100
#: Decimals of labelled boxes, in pixels.
_LABEL_DECIMALS = 4


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FoldAnswers:
    """What the pairs of models said of the folds' photos.

    Attributes:
        answers: for each part one a photo.
        models: detector and classifier of each part.
        ap_conf: the confidence from which boxes are kept for average precision.
        iou: that of NMS.
    """

    folds: FoldSet
    answers: Sequence[Sequence[PhotoAnswers]]
    models: tuple[tuple[FoldModel, FoldModel], ...]
    ap_conf: float
    iou: float


def rounded(answer: PhotoAnswers) -> PhotoAnswers:
    """Return an answer as a file keeps it."""
    return _read_answer(_plain_answer(answer))


def write_answers(path: Path, kept: FoldAnswers, command: str | None = None) -> None:
    """Write what was said into a file whose name should end in ``ENDING``.

    Raises:
        SourceError: it cannot be written.
    """
    folds = kept.folds
    content = {
        "schema": SCHEMA,
        "command": command,
        "data": folds.data,
        "groups_in_several_folds": folds.leaks,
        "settings": {"ap_conf": kept.ap_conf, "iou": kept.iou},
        "parts": [
            {
                "part": folds.names[at],
                "detector": plain(kept.models[at][0]),
                "classifier": plain(kept.models[at][1]),
                "repeated_labels": test.repeated,
                "photos": [
                    {
                        "name": photo.name,
                        "group": int(folds.groups[at][index]),
                        "series": bool(folds.series[at][index]),
                        "classes": truth.class_ids.tolist(),
                        "faces": truth.boxes.round(_LABEL_DECIMALS).tolist(),
                        **_plain_answer(kept.answers[at][index]),
                    }
                    for index, (photo, truth) in enumerate(zip(test.photos, test.truths, strict=True))
                ],
            }
            for at, test in enumerate(folds.tests)
        ],
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
    # Without a time, the same answers give the same bytes.
    write_bytes(path, gzip.compress(text.encode(), mtime=0))


def read_answers(path: Path) -> FoldAnswers:
    """Read what ``write_answers`` wrote.

    Raises:
        DatasetError: it cannot be read, or is no such file.
    """
    try:
        content = json.loads(gzip.decompress(path.read_bytes()))
        if content["schema"] != SCHEMA:
            raise DatasetError(path, f"its schema is {content['schema']}, expected {SCHEMA}")
        parts = content["parts"]
        return FoldAnswers(
            folds=FoldSet(
                data=content["data"],
                tests=tuple(_read_split(content["data"], part) for part in parts),
                groups=tuple(np.array([photo["group"] for photo in part["photos"]], np.int64) for part in parts),
                series=tuple(np.array([photo["series"] for photo in part["photos"]], np.bool_) for part in parts),
                leaks=content["groups_in_several_folds"],
                parts=tuple(part["part"] for part in parts),
            ),
            answers=[[_read_answer(photo) for photo in part["photos"]] for part in parts],
            models=tuple((FoldModel(**part["detector"]), FoldModel(**part["classifier"])) for part in parts),
            ap_conf=content["settings"]["ap_conf"],
            iou=content["settings"]["iou"],
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
        reason = f"holds no answers of `maskdet compare --folds --answers` ({type(error).__name__})"
        raise DatasetError(path, reason) from error


def detections(kept: FoldAnswers) -> tuple[list[list[Detections]], list[list[Detections]]]:
    """Return what average precision needs, and what ``maskdet detect`` reports, for each part one a photo."""
    found = [[answer.shipped for answer in part] for part in kept.answers]
    return found, [[answer.reported or answer.shipped for answer in part] for part in kept.answers]


def _read_split(data: str, part: dict[str, Any]) -> LabelledSplit:
    truths = tuple(
        Truth(np.array(photo["faces"], np.float64).reshape(-1, 4), np.array(photo["classes"], np.int64))
        for photo in part["photos"]
    )
    photos = tuple(Path(photo["name"]) for photo in part["photos"])
    return LabelledSplit(data, "val", photos, truths, part["repeated_labels"])


def _plain_answer(answer: PhotoAnswers) -> dict[str, Any]:
    return {
        "found": _plain_detections(answer.shipped),
        "reported": None if answer.reported is None else _plain_detections(answer.reported),
        "boxes": _whole(answer.boxes),
        **{key: _digits(getattr(answer, key)) for key in ("scores", "on_boxes", "on_faces")},
    }


def _read_answer(photo: dict[str, Any]) -> PhotoAnswers:
    reported = photo["reported"]
    scores, on_boxes, on_faces = (
        np.array(photo[key], np.float32).reshape(-1, len(CLASS_NAMES)) for key in ("scores", "on_boxes", "on_faces")
    )
    return PhotoAnswers(
        shipped=_read_detections(photo["found"]),
        boxes=_boxes(photo["boxes"]),
        scores=scores,
        on_boxes=on_boxes,
        on_faces=on_faces,
        reported=None if reported is None else _read_detections(reported),
    )


def _plain_detections(found: Detections) -> dict[str, Any]:
    return {
        "classes": found.class_ids.tolist(),
        "confidences": _digits(found.confidences),
        "boxes": _whole(found.boxes),
    }


def _read_detections(columns: dict[str, Any]) -> Detections:
    confidences, class_ids = np.array(columns["confidences"], np.float32), np.array(columns["classes"], np.int64)
    return Detections(_boxes(columns["boxes"]), confidences, class_ids)


def _digits(scores: npt.NDArray[np.float32]) -> Any:
    """Return scores of any shape as lists of numbers of five digits."""
    return [_digits(one) if np.ndim(one) else float(f"{one:.5g}") for one in scores]


def _whole(boxes: npt.NDArray[np.float32]) -> list[list[int]]:
    whole: list[list[int]] = np.rint(boxes * _PIXEL).astype(np.int64).tolist()
    return whole


def _boxes(rows: list[list[int]]) -> npt.NDArray[np.float32]:
    return (np.array(rows, np.int64).reshape(-1, 4) / _PIXEL).astype(np.float32)
