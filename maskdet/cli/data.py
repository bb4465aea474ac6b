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


#: Photos shown where none is named.
_SHOWN = 6


@click.group(short_help="Check a data set, show, count and plot it; fetch the public one.")
def data() -> None:
    """Check a data set, show its labels, count and plot it (nothing in it is changed); fetch the public one."""


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


@data.command("show", short_help="Show photos beside their labelled pictures.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--photo", "names", metavar="NAME", multiple=True, help="A photo to show; may be given more than once.")
@click.option("--count", type=click.IntRange(1, 100), help=f"Show so many, drawn at random.  [default: {_SHOWN}]")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Decides which are drawn.")
@map_option
@click.option(
    "--save",
    "picture",
    type=click.Path(path_type=Path),
    default=Path("maskdet-out/labels.png"),
    show_default=True,
    metavar="FILE",
    help="The picture to write.",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def show_labels(
    folder: Path,
    *,
    names: tuple[str, ...],
    count: int | None,
    seed: int,
    mapping: dict[str, str],
    picture: Path,
    quiet: bool,
) -> int:
    """Write a picture of photos of the VOC or YOLO data set DIR (or its data.yaml), each beside itself with its labels.

    Boxes are green (with_mask), red (without_mask) and yellow (mask_weared_incorrect). NAME is a picture or annotation,
    with or without its ending; without --photo photos are drawn at random. The path that was written is printed.
    """
    from maskdet.datasets.audit.check import load
    from maskdet.datasets.audit.contact_sheet import draw_pairs
    from maskdet.datasets.audit.show import draw_photos, find_photos
    from maskdet.datasets.photos.photo import ClassMap
    from maskdet.files.guard import Guard
    from maskdet.imaging.encode import write_picture

    if names and count:
        raise click.UsageError("--photo names the photos and --count draws them: give one")
    collection, classes = load(folder, classes=ClassMap(mapping), quiet=quiet)
    shown = find_photos(folder, collection, names)
    shown = shown or draw_photos(collection.photos, count or _SHOWN, seed=seed)
    Guard([folder, *(photo.picture.path for photo in shown)]).check_media(picture)
    show(str(write_picture(picture, draw_pairs(shown, classes))))
    if collection.left_out and not quiet:
        say(f"note: {len(collection.left_out)} photos cannot be used: maskdet data check {folder} names them")
    return 0


@data.command(short_help="Fetch the public data set.")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path), default=Path("face-mask-detection"))
def download(out: Path) -> int:
    """Fetch the public Face Mask Detection data (853 photos, CC0) from Kaggle into the new folder OUT.

    OUT is face-mask-detection unless given; it then holds annotations/ and images/, as maskdet convert reads them.
    """
    from maskdet.datasets.download import download as run

    show(str(run(out)))
    return 0
