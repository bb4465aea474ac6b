"""``maskdet study``: train and compare the crop study's networks, and write the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from maskdet.cli import EXIT_DONE
from maskdet.cli.report_output import to_json, write_text


@click.command()
@click.argument("source", metavar="VOC_DIR", type=click.Path(path_type=Path), required=False)
@click.option("--list", "list_only", is_flag=True, help="Print the networks and their parameters, train nothing.")
@click.option("--networks", metavar="NAME,…", help="Which to train.  [default: all seven, and maskdet-c]")
@click.option(
    "--protocol",
    type=click.Choice(["study", "grouped", "both"]),
    default="study",
    show_default=True,
    help="Divide by crop, in the study's sizes; or by photo, alike ones together.",
)
@click.option("--folds", type=click.IntRange(1, 5), default=1, show_default=True, help="Grouped folds to test on.")
@click.option(
    "--recipe",
    type=click.Choice(["ours", "study"]),
    default="ours",
    show_default=True,
    help="How to train: our settings, or those the study prints.",
)
@click.option(
    "--backbone-weights",
    "weights",
    metavar="FILE|none",
    multiple=True,
    help="torchvision's ImageNet file (several times for several networks), or none to train all from scratch.",
)
@click.option("--collapse", is_flag=True, help="Find out why three of the study's networks never learnt.")
@click.option("--ship", metavar="FILE.onnx", type=click.Path(path_type=Path), help="Train maskdet-c on all crops.")
@click.option(
    "--leave-out",
    metavar="LIST",
    type=click.Path(path_type=Path),
    help="With --ship: a text file of photo names, or a folder of photos, that take no part.",
)
@click.option("--report", "report_only", is_flag=True, help="Train nothing, write the report of what is there.")
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path), default=Path("study"), show_default=True, help="Report."
)
@click.option(
    "--runs",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="One folder a training, and checkpoints.  [default: OUT/runs]",
)
@click.option("--epochs", type=click.IntRange(1, 1000), help="At most.  [default: each recipe's own]")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Of division and weights.")
@click.option("--device", default="cpu", show_default=True, help="cpu, or torch's name of a GPU, such as cuda:0.")
@click.option("--json", "json_target", metavar="FILE|-", help="Write every figure (or the list) as JSON.")
@click.option("--quiet", is_flag=True, help="No table, no progress: only what was asked for, and errors.")
def study(source: Path | None, list_only: bool, quiet: bool, json_target: str | None, **options: Any) -> int:
    """Train and compare the seven networks of the crop study, and write a report.

    VOC_DIR holds annotations/ and images/; its faces are cut out and told apart. Finished trainings are read, broken
    ones go on where they were: the same command again costs nothing and completes the report.

    \b
    maskdet study --list                                       the networks and their parameters
    maskdet study face-mask-detection --networks cnn-a         one network, the study's division
    maskdet study face-mask-detection --protocol both          everything; hours on a CPU
    maskdet study face-mask-detection --report                 the report once more
    """
    from maskdet.files.guard import Guard

    if list_only:
        Guard().check_texts({"--json": json_target})
        return _list(json_target, quiet=quiet)
    if source is None:
        raise click.UsageError("which data? give the folder that holds annotations/ and images/, or --list")
    from maskdet.extras import require

    # What is missing should be said before hours of training, not after.
    for module in ("torch", "torchvision"):
        require(module, what="maskdet study", extra="train")
    require("matplotlib", what="the study's report", extra="plots")
    from maskdet.cli.study_run import Study

    guard = Guard([source, *options["weights"], options["leave_out"]])
    guard.check_texts({"--json": json_target})
    guard.check_folders({"--out": str(options["out"])}, [json_target])
    if options["ship"] is not None:
        guard.check_model(options["ship"])
    return Study(source, quiet=quiet, **options).run(json_target)


def _list(json_target: str | None, *, quiet: bool) -> int:
    from maskdet.classifier.networks.parameters import parameter_table

    rows = parameter_table()
    if json_target:
        write_text(to_json([row.to_dict() for row in rows]), json_target)
    if not quiet and json_target != "-":
        from maskdet.classifier.networks.parameters import print_parameters

        print_parameters(rows)
    return EXIT_DONE
