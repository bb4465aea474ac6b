"""The options of ``maskdet detect`` that say what is written: they arrive as one ``Targets``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from maskdet.paths import OWN_FOLDER
from maskdet.writers.targets import Targets

_OPTIONS = (
    click.option("--json", metavar="FILE|-", help="Write JSON Lines, one object a picture or frame."),
    click.option("--csv", metavar="FILE|-", help="Write CSV, one row a face."),
    click.option("--coco", metavar="FILE|-", help="Write one COCO file for all pictures, with scores."),
    click.option("--save", metavar="DIR", help=f"Write annotated pictures and videos.  [default: {OWN_FOLDER}]"),
    click.option("--no-save", is_flag=True, help="Write no annotated pictures or videos."),
    click.option("--save-txt", metavar="DIR", help="Write YOLO labels, one .txt a picture."),
    click.option("--save-conf", is_flag=True, help="End each line of --save-txt with the confidence."),
    click.option("--save-voc", metavar="DIR", help="Write Pascal VOC labels, one .xml a picture."),
    click.option("--save-crops", metavar="DIR", help="Write each face as DIR/CLASS/NAME_N.png."),
    click.option("--overwrite", is_flag=True, help="Write into folders that hold labels or crops already."),
)


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command that takes ``targets: Targets``; nothing in it is asked for by default.

    Raises:
        click.UsageError: (when called) two options contradict each other.
    """

    @functools.wraps(command)
    def call(
        *args: Any,
        json: str | None,
        csv: str | None,
        coco: str | None,
        save: str | None,
        no_save: bool,
        save_txt: str | None,
        save_conf: bool,
        save_voc: str | None,
        save_crops: str | None,
        overwrite: bool,
        quiet: bool,
        **others: Any,
    ) -> Any:
        targets = Targets(
            json=json,
            csv=csv,
            coco=coco,
            pictures=save,
            txt=save_txt,
            txt_confidence=save_conf,
            voc=save_voc,
            crops=save_crops,
            overwrite=overwrite,
        )
        if len(targets.to_stdout) > 1:
            names = " and ".join(f"--{name} -" for name in targets.to_stdout)
            raise click.UsageError(f"{names} cannot both write to standard output")
        if save and no_save:
            raise click.UsageError("--save and --no-save contradict each other")
        if save_conf and not save_txt:
            raise click.UsageError("--save-conf belongs to --save-txt: name its folder")
        if not (no_save or quiet or targets.any):
            targets = Targets(pictures=OWN_FOLDER)
        return command(*args, targets=targets, quiet=quiet, **others)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call
