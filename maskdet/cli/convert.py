"""``maskdet convert``: Pascal VOC XML to a YOLO data set, or to a folder of face crops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from maskdet.cli import EXIT_DONE, EXIT_ERROR
from maskdet.terminal.console import say, show

if TYPE_CHECKING:
    from maskdet.datasets.photos.photo import LeftOut

#: Options that mean nothing to the other kind of output, by parameter name.
_DATA_SET_ONLY = ("split", "val_fraction", "test_fraction", "folds", "seed", "images")
_CROPS_ONLY = ("crop_margin", "crop_square", "crop_size")


def parse_map(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Turn the values of ``--map`` into a mapping; a click callback."""
    pairs = {}
    for value in values:
        old, sign, new = value.partition("=")
        if not (sign and old.strip() and new.strip()):
            raise click.BadParameter(f"{value!r} is not OLD=NEW")
        pairs[old.strip()] = new.strip()
    return pairs


map_option = click.option(
    "--map", "mapping", multiple=True, callback=parse_map, metavar="OLD=NEW", help="Read class OLD as NEW."
)


@click.command(short_help="Turn Pascal VOC XML into a YOLO data set, with an audit.")
@click.argument("voc_dir", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--split",
    type=click.Choice(["grouped", "folders", "public", "voc"]),
    help="grouped: alike photos stay together, classes balanced. folders: as the folders train/, valid/ (or val/), "
    "test/ divide it. public: the published list of the 853 Kaggle photos. voc: the lists in ImageSets/Main.  "
    "[default: folders where there are such, else grouped]",
)
@click.option("--val-fraction", type=float, default=0.2, show_default=True, help="Share of the photos for val.")
@click.option("--test-fraction", type=float, default=0.0, show_default=True, help="Share of the photos for test.")
@click.option(
    "--folds", type=click.IntRange(min=2), metavar="K", help="Write K balanced folds, fold1.yaml to foldK.yaml."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides among equal choices of a grouped split.")
@click.option("--groups", type=click.Path(path_type=Path), metavar="FILE", help="CSV name,group: kept together.")
@click.option(
    "--series/--no-series",
    default=True,
    help="Keep the Kaggle data's selfie series together, beside the folds (default).",
)
@click.option(
    "--duplicates/--no-duplicates", default=True, help="Search for photos that are alike (default), or save the time."
)
@click.option(
    "--images",
    type=click.Choice(["link", "symlink", "copy"]),
    default="link",
    show_default=True,
    help="How pictures get into OUT; link falls back to copy across file systems.",
)
@map_option
@click.option("--skip-unknown", is_flag=True, help="Leave boxes of unknown classes out.")
@click.option("--skip-difficult", is_flag=True, help="Leave boxes marked <difficult> out, as the VOC devkit scores.")
@click.option(
    "--coordinates",
    type=click.Choice(["auto", "pixels", "shares"]),
    default="auto",
    show_default=True,
    help="auto: pixels of <size>, scaled to the picture where both have one shape; what is not certain is refused. "
    "pixels: the picture's own, whatever <size> says. shares: files whose boxes all lie within 0 … 1 are read as such.",
)
@click.option("--one-based", is_flag=True, help="xmin and ymin are 1-based pixel numbers, as in the VOC devkit.")
@click.option("--keep-going", is_flag=True, help="Leave unusable photos out, list them, and exit with code 2.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier conversion of the same kind in OUT.")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
@click.option("--crops", is_flag=True, help="Write every face as a picture of its own: OUT/CLASS/PHOTO_FACE.png.")
@click.option(
    "--crop-margin",
    type=float,
    default=0.0,
    show_default=True,
    help="Cut so much more on every side, as a fraction of the box's side.",
)
@click.option(
    "--crop-square", is_flag=True, help="Cut the square around the box's centre; beyond the photo its edge is repeated."
)
@click.option("--crop-size", type=int, metavar="PX", help="Width and height of each crop.  [default: as in the photo]")
def convert(
    voc_dir: Path,
    out: Path,
    mapping: dict[str, str],
    folds: int | None,
    quiet: bool,
    crops: bool,
    crop_margin: float,
    crop_square: bool,
    crop_size: int | None,
    **options: Any,
) -> int:
    """Convert the Pascal VOC data set VOC_DIR into the YOLO data set OUT, or into a folder of face crops.

    VOC_DIR has annotations/ and images/, or Annotations/ and JPEGImages/, or XML files beside their pictures. Folders
    below them are part of the names; a division into train/, valid/, test/ is kept. Everything that was mended or
    passed over is printed and written to OUT/audit.json. Then: maskdet train data=OUT/data.yaml

    With --crops, OUT gets one folder a class, manifest.csv (where each face comes from, and the group of photos that
    belongs on one side of a split), crops.json and contact_sheet.jpg. The options of splits and --images have no
    meaning then, and those that begin with --crop have none without it.
    """
    _refuse(_DATA_SET_ONLY if crops else _CROPS_ONLY, crops=crops)
    from maskdet.datasets.photos.photo import ClassMap

    options |= {"classes": ClassMap(mapping), "quiet": quiet}
    left_out: Sequence[LeftOut]
    if crops:
        from maskdet.classifier.crops.crop import CropOptions
        from maskdet.classifier.crops.crop_folder import CropFolderOptions, print_crop_summary, write_crops

        try:
            window = CropOptions(crop_margin, crop_square, crop_size)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        shared = {name: value for name, value in options.items() if name not in _DATA_SET_ONLY}
        summary = write_crops(voc_dir, out, CropFolderOptions(crops=window, **shared))
        left_out, last = summary.left_out, "manifest.csv"
        if not quiet:
            print_crop_summary(summary)
    else:
        from maskdet.datasets.audit.stats import print_audit
        from maskdet.datasets.convert import ConvertOptions
        from maskdet.datasets.convert import convert as run

        audit = run(voc_dir, out, ConvertOptions(folds=folds or 0, **options))
        left_out, last = audit.left_out, "data.yaml"
        if not quiet:
            print_audit(audit)
    if not quiet:
        show(f"wrote {out / last}")
    for photo in left_out:
        say(f"left out {photo.file}: {photo.reason}")
    return EXIT_ERROR if left_out else EXIT_DONE


def _refuse(names: tuple[str, ...], *, crops: bool) -> None:
    """Stop at options that were given and have no meaning.

    Raises:
        UsageError: there is one.
    """
    context = click.get_current_context()
    given = [
        max(param.opts, key=len)
        for param in context.command.params
        if param.name in names and context.get_parameter_source(param.name) is not ParameterSource.DEFAULT
    ]
    if given and crops:
        raise click.UsageError(f"{', '.join(given)} cannot be used with --crops: it writes one folder, not a split")
    if given:
        raise click.UsageError(f"{', '.join(given)} needs --crops")
