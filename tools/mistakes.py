"""What fails and why: a gallery of the worst mistakes by size and class, of the labels that look wrong, and a CSV of all.

On grouped folds, each judged by a detector that has not seen it, or on one split::

    python tools/mistakes.py folds "runs/fold{fold}.onnx" --out mistakes --json mistakes.json
    python tools/mistakes.py mydata/data.yaml best.onnx --out mistakes

The pictures hold photos of the data set: they are for the eyes of whoever has it, not to be passed on. In them labelled
boxes are solid, found ones dashed; green with a mask, red without, yellow worn wrongly.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskdet.classes import CLASS_NAMES
from maskdet.detector.evaluation.evaluate import VAL_CONF, detect_split
from maskdet.detector.evaluation.folds.cross_validation import FOLD, fold_models
from maskdet.detector.evaluation.folds.fold_set import read_folds
from maskdet.detector.evaluation.folds.report import check_unseen
from maskdet.detector.evaluation.labelled_split import LabelledSplit, read_split
from maskdet.detector.evaluation.mistake_pictures import draw_gallery, draw_tile
from maskdet.detector.evaluation.mistakes import (
    DOUBTFUL_CONF,
    FOUND_IOU,
    KINDS,
    NEAR_IOU,
    Mistake,
    count_mistakes,
    find_mistakes,
    worst_first,
)
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.options import DEFAULT_CONF, DEFAULT_IOU
from maskdet.detector.inference.postprocess import Detections
from maskdet.errors import MaskdetError
from maskdet.files.atomic import write_bytes
from maskdet.imaging.decode import decode_file
from maskdet.imaging.encode import write_picture
from maskdet.weights import checksum, resolve_weights

SCHEMA = "maskdet-mistakes/1"
COLUMNS = ("photo", "kind", "doubtful_label", "label", "found", "confidence", "iou", "side", "x1", "y1", "x2", "y2")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="a folder of folds, or a data.yaml")
    parser.add_argument("model", help="a detector; for folds with {fold} in its name")
    parser.add_argument("--split", default="val", help="its key in data.yaml (val)")
    parser.add_argument("--conf", type=float, default=DEFAULT_CONF, help="confidence threshold (0.25)")
    parser.add_argument("--out", type=Path, help="folder of the gallery and the CSV")
    parser.add_argument("--json", type=Path, help="write the counts")
    return parser.parse_args(arguments)


def detect(options: argparse.Namespace) -> tuple[LabelledSplit, list[Detections], list[Path]]:
    """Return the photos and labels, what was found on each from a low threshold on, and the models' files.

    Raises:
        MaskdetError: data or a model cannot be used.
    """
    if FOLD in options.model:
        folds = read_folds(options.data, quiet=False)
        tests, labelled = list(folds.tests), folds.pooled
        paths = fold_models(options.model, len(tests))
    else:
        labelled = read_split(options.data, options.split)
        tests, paths = [labelled], [resolve_weights(options.model)[1]]
    found: list[Detections] = []
    for number, (path, test) in enumerate(zip(paths, tests, strict=True), 1):
        detector = MaskDetector(path)
        if len(tests) > 1:
            check_unseen(detector, number)
        found += detect_split(
            detector, test, conf=VAL_CONF, iou=DEFAULT_IOU, batch=16, quiet=False, report_conf=VAL_CONF
        )[1]
    return labelled, found, paths


def csv_of(labelled: LabelledSplit, mistakes: Sequence[Mistake]) -> str:
    """Return one row a mistake."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in mistakes:
        names = ["" if class_id is None else CLASS_NAMES[class_id] for class_id in (one.label, one.found)]
        sure = "" if one.confidence is None else f"{one.confidence:.4f}"
        figures = [sure, f"{one.iou:.3f}", f"{one.side:.1f}", *(f"{value:.1f}" for value in one.box)]
        writer.writerow([labelled.photos[one.photo].name, one.kind, int(one.doubtful), *names, *figures])
    return text.getvalue()


def write_gallery(
    folder: Path, labelled: LabelledSplit, found: Sequence[Detections], mistakes: Sequence[Mistake], conf: float
) -> list[Path]:
    """Write one picture a kind of mistake, one of the doubtful labels, and the CSV; return their paths.

    Raises:
        SourceError: a photo cannot be decoded, or a file not written.
    """

    def tile_of(mistake: Mistake) -> Any:
        photo, detected = labelled.photos[mistake.photo], found[mistake.photo]
        reported = detected.take(detected.confidences > conf)
        return draw_tile(decode_file(photo), mistake, labelled.truths[mistake.photo], reported, photo.stem)

    written = [write_bytes(folder / "mistakes.csv", csv_of(labelled, mistakes).encode())]
    sheets = {kind: [one for one in mistakes if one.kind == kind] for kind in KINDS}
    for name, shown in {**sheets, "doubtful_labels": [one for one in mistakes if one.doubtful]}.items():
        picture = draw_gallery(shown, tile_of)
        if picture is not None:
            written.append(write_picture(folder / f"{name}.png", picture))
    return written


def table_of(counts: dict[str, Any]) -> str:
    """Return the counts as text."""
    lines = [f"{'':13}{'side':>10}" + "".join(f"{name:>23}" for name in CLASS_NAMES)]
    for kind, sizes in {"faces": counts["faces"], **counts["mistakes"]}.items():
        for size, row in sizes.items():
            lines.append(f"{kind:13}{size:>10}" + "".join(f"{row[name]:23,}" for name in CLASS_NAMES))
    lines.append(
        "labels that look wrong: " + ", ".join(f"{kind} {count}" for kind, count in counts["doubtful"].items())
    )
    return "\n".join(lines)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Detect, count and write.

    Raises:
        MaskdetError: data or a model cannot be used, or a file cannot be written.
    """
    labelled, found, paths = detect(options)
    mistakes = worst_first(find_mistakes(labelled.truths, found, conf=options.conf))
    counts = count_mistakes(labelled.truths, mistakes)
    words = ["python", "tools/mistakes.py", labelled.data, Path(options.model).name]
    described = {
        "schema": SCHEMA,
        "command": shlex.join([*words, "--conf", str(options.conf)]),
        "data": {"name": labelled.data, "split": labelled.split, "photos": len(labelled.photos)},
        "models": [{"name": path.stem, "sha256": checksum(path)} for path in paths],
        "settings": {
            "conf": options.conf, "found_iou": FOUND_IOU, "near_iou": NEAR_IOU, "doubtful_conf": DOUBTFUL_CONF
        },
        **counts,
    }  # fmt: skip
    if options.json:
        write_bytes(options.json, (json.dumps(described, indent=1) + "\n").encode())
    if options.out:
        for path in write_gallery(options.out, labelled, found, mistakes, options.conf):
            print(path, file=sys.stderr)
    return counts


def main(arguments: Sequence[str] | None = None) -> None:
    """Run; what cannot be used is one line on standard error and exit code 2."""
    try:
        print(table_of(run(parse(arguments))))
    except MaskdetError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
