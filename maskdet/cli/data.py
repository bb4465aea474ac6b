"""``maskdet data``: looking at a data set without changing it, and fetching the public one."""

from __future__ import annotations

from pathlib import Path

import click

from maskdet.cli.convert import map_option
from maskdet.cli.report_output import write_text
from maskdet.files.paths import real_path
from maskdet.terminal.console import say, show

#: What ``--fail-on`` may name.
_FAULTS = ("boxes", "duplicates", "leaks")
#: What an audit lists beside faults of boxes.
_NO_BOX_FAULTS = frozenset({"picture", "encoding", "unlisted"})


@click.group(short_help="Check a data set, count and plot it; fetch the public one.")
def data() -> None:
    """Check a data set, count and plot it (nothing in it is changed); fetch the public one."""


@data.command(short_help="Audit a VOC or YOLO data set.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@map_option
@click.option("--duplicates/--no-duplicates", default=True, help="Search for alike photos and leaks (default).")
@click.option("--json", "json_file", metavar="FILE", help="Write the audit as JSON; - is standard output.")
@click.option(
    "--fail-on",
    type=click.Choice(_FAULTS),
    multiple=True,
    help="Exit with code 1 where there is such a fault; may be given more than once.",
)
@click.option("--quiet", is_flag=True, help="No progress bar and no table.")
def check(
    folder: Path,
    *,
    mapping: dict[str, str],
    duplicates: bool,
    json_file: str | None,
    fail_on: tuple[str, ...],
    quiet: bool,
) -> int:
    """Audit the VOC or YOLO data set DIR (or its data.yaml): bad boxes, alike photos, leaks between its parts.

    Exit code 2 where photos cannot be used, 1 where --fail-on matches.
    """
    from maskdet.datasets.audit.check import check as run
    from maskdet.datasets.audit.check import trainers_notes
    from maskdet.datasets.audit.stats import print_audit
    from maskdet.datasets.photos.photo import ClassMap
    from maskdet.errors import DatasetError
    from maskdet.files.guard import Guard

    Guard([folder]).check_texts({"--json": json_file})
    if json_file not in (None, "-") and not real_path(json_file).parent.is_dir():
        raise DatasetError(json_file, "its folder does not exist")
    audit = run(folder, classes=ClassMap(mapping), duplicates=duplicates, quiet=quiet)
    write_text(audit.to_json(), json_file)
    if not quiet and json_file != "-":
        print_audit(audit)
        for note in trainers_notes(audit):
            say(note)
    for photo in audit.left_out:
        say(f"cannot use {photo.file}: {photo.reason}")
    if audit.left_out:
        return 2
    found = {
        "boxes": [mend for mend in audit.mends if mend.kind not in _NO_BOX_FAULTS],
        "duplicates": audit.pairs,
        "leaks": audit.leaks,
    }
    return 1 if any(found[fault] for fault in fail_on) else 0


@data.command(short_help="Count photos, boxes and box sizes.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@map_option
@click.option("--plot", "picture", type=click.Path(path_type=Path), metavar="FILE", help="Write the plot as a PNG.")
@click.option("--quiet", is_flag=True, help="No progress bar and no table.")
def stats(folder: Path, mapping: dict[str, str], picture: Path | None, quiet: bool) -> int:
    """Count the VOC or YOLO data set DIR (or its data.yaml): classes by part, face sizes, faces a photo."""
    from maskdet.datasets.audit.check import load
    from maskdet.datasets.audit.stats import count, plot, print_stats
    from maskdet.datasets.photos.photo import ClassMap
    from maskdet.files.guard import Guard

    if picture is not None:
        Guard([folder]).check_media(picture)
    collection, names = load(folder, classes=ClassMap(mapping), quiet=quiet)
    counted = count(collection.photos, names)
    if not quiet:
        print_stats(counted)
    if picture is not None:
        plot(counted, picture)
        say(f"wrote {picture}")
    for photo in collection.left_out:
        say(f"cannot use {photo.file}: {photo.reason}")
    return 2 if collection.left_out else 0


@data.command(short_help="Fetch the public data set.")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path), default=Path("face-mask-detection"))
def download(out: Path) -> int:
    """Fetch the public Face Mask Detection data (853 photos, CC0) from Kaggle into the new folder OUT.

    OUT is face-mask-detection unless given; it then holds annotations/ and images/, as maskdet convert reads them.
    """
    from maskdet.datasets.download import download as run

    show(str(run(out)))
    return 0
