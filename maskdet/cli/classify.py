"""``maskdet classify``: pictures that already are face crops in, a table, JSON and CSV out."""

from __future__ import annotations

import click

from maskdet.classes import CLASS_NAMES
from maskdet.cli import EXIT_ERROR
from maskdet.cli.options import options
from maskdet.cli.options.model import ModelOptions
from maskdet.cli.options.run import RunOptions, class_list
from maskdet.writers.targets import Targets


@click.command()
@click.argument("images", metavar="IMAGE…", nargs=-1, required=True)
@click.option("--weights", metavar="FILE", help="An .onnx classifier, or the name of a shipped one.")
@options("device", "runtime", model=ModelOptions)
@click.option("--batch", type=click.IntRange(1, 256), default=16, show_default=True, help="Crops run at once.")
@click.option("--json", "json_target", metavar="FILE|-", help="Write JSON Lines, one object a crop.")
@click.option("--csv", "csv_target", metavar="FILE|-", help="Write CSV, one row a crop.")
@click.option(
    "--fail-on", metavar="CLASS,…", callback=class_list, help="Exit with 1 if a crop is of one of these classes."
)
@options("strict", "quiet", run=RunOptions)
def classify(
    images: tuple[str, ...], json_target: str | None, csv_target: str | None, *, model: ModelOptions, run: RunOptions
) -> int:
    """Say of pictures that already are face crops how each wears its mask.

    IMAGE is a picture, a folder (searched through) or a glob pattern; give as many as you like. Each picture is taken
    as one face, whatever it shows: to find faces in a photo, use maskdet detect. What cannot be read is named on
    standard error, the rest is done all the same, and the exit code is 2.

    The classifier answers best on crops cut as its training crops were, with some of the surroundings: maskdet info
    shows its margin, and maskdet convert --crops --crop-margin cuts that way.
    """
    run.check_classes(CLASS_NAMES)
    targets = Targets(json=json_target, csv=csv_target)
    if len(targets.to_stdout) > 1:
        raise click.UsageError("--json - and --csv - cannot both write to standard output")
    from maskdet.cli.source_run import ErrorLog, find_sources, run_sources

    errors = ErrorLog()
    found = find_sources(images, errors, run)
    if not found:
        return EXIT_ERROR

    from maskdet.classifier.inference.model import MaskClassifier
    from maskdet.files.guard import Guard
    from maskdet.prediction.pipeline import choose_predictor
    from maskdet.sources.files import files_among
    from maskdet.writers.outputs import Outputs, check_targets
    from maskdet.writers.tables import print_crops

    guard = Guard([*images, model.weights], files_among(found))
    check_targets(targets, guard)
    classifier = MaskClassifier(model.weights, device=model.device, runtime=model.runtime)
    show_table = not run.quiet and not targets.to_stdout
    predictor = choose_predictor("classify", classifier=classifier)
    outputs = Outputs(targets, errors.report, guard)
    outcome = run_sources(found, predictor, outputs, errors, run, keep_tally=show_table)
    if show_table:
        print_crops(outcome.tally.pictures)
    return outcome.exit_code(errors)
