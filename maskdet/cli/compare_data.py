"""``maskdet compare --data``: scores on labelled photos, as a table, JSON and pictures."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskdet.cli.open_models import open_classifier, open_detector
from maskdet.cli.report_output import to_json, write_text
from maskdet.console import say
from maskdet.runtime_choice import RuntimeName

if TYPE_CHECKING:
    from maskdet.chain.report import CompareReport


def score_data(
    data: str,
    split: str | None,
    *,
    weights: str | None,
    classifier_weights: str | None,
    conf: float,
    iou: float,
    imgsz: int | None,
    close_ups: bool | None,
    augment: bool,
    device: str,
    runtime: RuntimeName,
    trust_weights: bool,
    batch: int,
    json_target: str | None,
    save: str | None,
    quiet: bool,
) -> None:
    """Score both models and the chain, and write what was asked for.

    Args:
        data: a ``data.yaml``, its folder, or a Pascal VOC folder.
        split: its key in ``data.yaml``.
        weights: the detector's.
        classifier_weights: the classifier's.
        conf: boxes above it are those whose classes are compared.
        iou: threshold of NMS.
        imgsz: longer side of the detector's input in pixels.
        close_ups: whether the detector sees each photo once more at a small input; None as it asks.
        augment: whether it also sees each photo mirrored and smaller.
        device: where both models run, as ``--device`` takes it.
        runtime: what runs them.
        trust_weights: unpickle a ``.pt`` whatever it names.
        batch: photos run at once.
        json_target: file of the report, ``"-"`` for standard output.
        save: folder of the pictures and ``compare.json``.
        quiet: print no table.

    Raises:
        MaskdetError: data or a model cannot be used, a package is missing, or a file cannot be written.
        click.UsageError: an option out of its range.
    """
    from maskdet.extras import require

    # What is missing should be said before the photos are run, not after.
    require("faster_coco_eval", what="maskdet compare --data", extra="train")
    if save:
        require("matplotlib", what="--save", extra="plots")

    from maskdet.chain.labelled_data import read_labelled
    from maskdet.chain.score import compare
    from maskdet.weights import checksum, resolve_weights
    from maskdet.writers.guard import Guard

    guard = Guard([data, weights, classifier_weights])
    guard.check_texts({"--json": json_target})
    guard.check_folders({"--save": save}, [json_target])
    if save:
        guard.check_reports(Path(save), ("ap.png", "classes.png", "compare.json"))
    labelled = read_labelled(data, split)
    detector = open_detector(
        weights,
        imgsz=imgsz,
        close_ups=close_ups,
        augment=augment,
        device=device,
        runtime=runtime,
        trust_weights=trust_weights,
    )
    classifier = open_classifier(classifier_weights, device=device, runtime=runtime)
    if labelled.repeated and not quiet:
        say(f"note: {labelled.repeated} repeated label lines count once")
    report = compare(detector, classifier, labelled, conf=conf, iou=iou, batch=batch, quiet=quiet)
    given = {
        "--data": labelled.data,
        "--split": split,
        "--weights": weights and Path(weights).name,
        "--classifier": classifier_weights and Path(classifier_weights).name,
        "--conf": conf,
        "--iou": iou,
        "--imgsz": imgsz,
    }
    if close_ups is not None:
        given["--close-ups" if close_ups else "--no-close-ups"] = True
    if augment:
        given["--augment"] = True
    report = replace(
        report,
        detector=replace(report.detector, sha256=checksum(resolve_weights(weights)[1])),
        classifier=replace(report.classifier, sha256=checksum(resolve_weights(classifier_weights, "classify")[1])),
        command=_command_line(given),
    )
    _write(report, json_target, save)
    if not quiet and json_target != "-":
        from maskdet.chain.score_table import print_scores

        print_scores(report)
    if save and not quiet:
        say(f"pictures: {Path(save)}")


def _command_line(given: dict[str, Any]) -> str:
    """Return the command that made a report, without the folders of the machine it ran on."""
    words = ["maskdet", "compare"]
    for option, value in given.items():
        if value is not None:
            words += [option] if value is True else [option, str(value)]
    return shlex.join(words)


def _write(report: CompareReport, json_target: str | None, save: str | None) -> None:
    from maskdet.writers.atomic import write_bytes

    text = to_json(report.to_dict(), indent=2)
    write_text(text, json_target)
    if save:
        from maskdet.chain.score_plots import save_bars

        save_bars(report, Path(save))
        write_bytes(Path(save) / "compare.json", text.encode())
