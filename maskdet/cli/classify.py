"""``maskdet classify``: pictures that already are face crops in, a table, JSON and CSV out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import click

from maskdet.cli import EXIT_ERROR
from maskdet.cli.faults import FaultLog, class_list, find_all

if TYPE_CHECKING:
    from maskdet.classifier.model import MaskClassifier
    from maskdet.results import MaskResult
    from maskdet.sources import Picture


@click.command()
@click.argument("images", metavar="IMAGE…", nargs=-1, required=True)
@click.option("--weights", metavar="FILE", help="An .onnx classifier, or the name of a shipped one.")
@click.option("--device", default="cpu", show_default=True, help="cpu, or the index of a GPU.")
@click.option("--batch", type=click.IntRange(1, 256), default=16, show_default=True, help="Crops run at once.")
@click.option("--json", "json_target", metavar="FILE|-", help="Write JSON Lines, one object a crop.")
@click.option("--csv", "csv_target", metavar="FILE|-", help="Write CSV, one row a crop.")
@click.option(
    "--fail-on", metavar="CLASS,…", callback=class_list, help="Exit with 1 if a crop is of one of these classes."
)
@click.option("--quiet", is_flag=True, help="No table, no progress: only what was asked for, and errors.")
def classify(
    images: tuple[str, ...],
    weights: str | None,
    device: str,
    batch: int,
    json_target: str | None,
    csv_target: str | None,
    fail_on: frozenset[str],
    quiet: bool,
) -> int:
    """Say of pictures that already are face crops how each wears its mask.

    IMAGE is a picture, a folder (searched through) or a glob pattern; give as many as you like. Each picture is taken
    as one face, whatever it shows: to find faces in a photo, use maskdet detect. What cannot be read is named on
    standard error, the rest is done all the same, and the exit code is 2.

    The classifier answers best on crops cut as its training crops were, with some of the surroundings: maskdet info
    shows its margin, and maskdet convert --crops --crop-margin cuts that way.
    """
    if json_target == "-" and csv_target == "-":
        raise click.UsageError("--json - and --csv - cannot both write to standard output")
    faults = FaultLog()
    files = find_all(images, faults)
    if not files:
        return EXIT_ERROR

    from maskdet.classifier.model import MaskClassifier
    from maskdet.pipeline import decode_files
    from maskdet.progress import track
    from maskdet.writers.crop_table import print_crops
    from maskdet.writers.outputs import Outputs
    from maskdet.writers.targets import Targets

    classifier = MaskClassifier(weights, device=device)
    show_table = not quiet and "-" not in (json_target, csv_target)
    shown: list[MaskResult] = []
    matched = False
    tracked = track(files, label="classify", quiet=quiet or len(files) == 1)
    with Outputs(Targets(json=json_target, csv=csv_target), faults.report) as outputs:
        for picture, result in _results(decode_files(tracked, faults.report), classifier, batch):
            outputs.write(picture, result)
            matched |= result.faces[0].name in fail_on
            if show_table:
                shown.append(result)
    if show_table:
        print_crops(shown)
    return faults.exit_code(matched=matched)


def _results(
    pictures: Iterable[Picture], classifier: MaskClassifier, batch: int
) -> Iterator[tuple[Picture, MaskResult]]:
    waiting = iter(pictures)
    while group := list(islice(waiting, batch)):
        results = classifier.predict_batch(
            [one.pixels for one in group], [one.info for one in group], keep_pixels=False
        )
        yield from zip(group, results, strict=True)
