"""Mix the photos that the shipped models are trained on: the main set, open photos, and painted ones, in balance.

    maskdet convert face-mask-detection public --split public --images symlink && python tools/complete_labels.py public
    maskdet convert extra-open open --val-fraction 0.01 --images symlink --no-duplicates --keep-going
    python tools/paint_masks.py extra-open painted --leave-out bssw,bsswp,cfde,fdg        # and others, see docs/training.md
    maskdet convert painted painted-yolo --val-fraction 0.01 --images symlink --no-duplicates
    python tools/mix_photos.py mix --main public --open open --painted painted-yolo --voc face-mask-detection extra-open painted

``mix/data.yaml`` is for ``maskdet train``, ``mix/voc`` for ``maskdet study --ship``, ``mix/heldout.yaml`` for ``maskdet val``
on the sources left out.

Bare faces outnumber masked ones 22 to 1 in the open photos, and many are frames of few persons: of each source a part is taken, but
every photo with a mask. Photos of the main set count twice. Whole sources are left out, to be tested on. Without ``--main`` the mix
is of open and painted photos alone: what the folds' models start from.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import yaml

from maskdet.classes import CLASS_NAMES

#: The part taken of a source's photos; of all others everything.
OPEN_SHARE = {"mw": 0.34, "mwx": 1.0, "sv": 0.3, "utez": 0.5, "wm": 0.5}
PAINTED_SHARE = {"mw": 0.3, "t18f": 0.55, "ots": 0.8, "wm": 0.8}
#: Never trained on: the foreign test.
LEFT_OUT = ("bssw", "bsswp", "cfde", "fdg")
#: Of photos with more bare faces than this and no mask, the classifier sees two in five.
CROWD, CROWD_SHARE = 8, 0.4


def source_of(stem: str) -> str:
    """Return the source in a photo's name.

    >>> source_of("xo_t18f_0012"), source_of("painted_00003_xo_ots_0007")
    ('t18f', 'ots')
    """
    found = re.match(r"(?:painted_\d+_)?xo_([a-z0-9]+)_", stem)
    if found is None:
        raise SystemExit(f"error: {stem}: not named xo_SOURCE_… as the open photos are")
    return found[1]


def origin_of(stem: str) -> str:
    """Return a photo's source for the table: the main set, an open source, or a painted picture of one.

    >>> origin_of("again_maksssksksss7"), origin_of("xo_t18f_0012"), origin_of("painted_00003_xo_ots_0007")
    ('main', 't18f', 'ots, painted')
    """
    if "xo_" not in stem:
        return "main"
    return source_of(stem) + (", painted" if stem.startswith("painted_") else "")


def shows_mask(labels: Path) -> bool:
    """Whether a label file has a face with a mask, however it is worn."""
    bare = str(CLASS_NAMES.index("without_mask"))
    return labels.is_file() and any(line.split()[0] != bare for line in labels.read_text("utf-8").splitlines() if line)


def labels_of(picture: Path) -> Path:
    """Return the label file of a picture in a converted folder: images/SPLIT/a.jpg, labels/SPLIT/a.txt."""
    return picture.parents[2] / "labels" / picture.parent.name / f"{picture.stem}.txt"


def pictures_in(folder: Path, *splits: str) -> list[Path]:
    """Return the pictures of a converted folder's splits, one split after the other, by name."""
    return [picture for split in splits for picture in sorted((folder / "images" / split).glob("*"))]


def repeat(main: Path, again: Path) -> None:
    """Link a converted folder's training photos, and copy their labels, under other names: each counts twice then."""
    for picture in pictures_in(main, "train"):
        for kind in ("images", "labels"):
            (again / kind / "train").mkdir(parents=True, exist_ok=True)
        link, copy = (again / kind / "train" / f"again_{picture.name}" for kind in ("images", "labels"))
        if not link.is_symlink():
            link.symlink_to(os.path.realpath(picture))
        copy.with_suffix(".txt").write_bytes(labels_of(picture).read_bytes())


def mix(
    out: Path,
    main: Path | None,
    opened: Path,
    painted: Sequence[Path],
    left_out: Sequence[str],
    *,
    part: float = 1.0,
    once: bool = False,
    everything: bool = False,
) -> list[Path]:
    """Write ``data.yaml``, and ``heldout.yaml`` of the sources left out, with their lists; return the photos.

    Args:
        main: the main set, converted; None takes none of it.
        left_out: sources that are not taken.
        part: of the shares of open and painted photos.
        once: the main set's photos count once, not twice.
        everything: the photos that are held out join, and the sources left out, whole.
    """
    draw = random.Random(0)
    out.mkdir(parents=True, exist_ok=True)
    chosen = [] if main is None else pictures_in(main, "train", *(["val"] if everything else []))
    if main is not None and not once:
        repeat(main, out / "again")
        chosen += pictures_in(out / "again", "train")
    left_out, whole = ((), left_out) if everything else (left_out, ())
    held: list[Path] = []
    for picture in pictures_in(opened, "train", "val"):
        source = source_of(picture.stem)
        if source in left_out:
            held.append(picture)
            continue
        share = 1.0 if source in whole else part * OPEN_SHARE.get(source, 1.0)
        if draw.random() < share or shows_mask(labels_of(picture)):
            chosen.append(picture)
    for folder in painted:
        for picture in sorted((folder / "images").rglob("*.jpg")):
            source = source_of(picture.stem)
            if source in left_out:
                held.append(picture)
            elif draw.random() < part * PAINTED_SHARE.get(source, 1.0):
                chosen.append(picture)
    write_list(out, "data", chosen, ((main or opened) / "images" / "val").absolute())
    if held:
        write_list(out, "heldout", chosen, held)
    return chosen


def write_list(out: Path, name: str, trained: Sequence[Path], tested: Path | Sequence[Path]) -> None:
    """Write ``NAME.yaml``: photos to train on, listed in a file, and to test on, a folder or listed likewise."""
    for part, photos in (("train", trained), (name, tested)):
        if not isinstance(photos, Path):
            text = "".join(f"{picture.absolute()}\n" for picture in photos)
            (out / f"{part}.txt").write_text(text, encoding="utf-8")
    said = {
        "path": str(out.absolute()),
        "train": "train.txt",
        "val": str(tested) if isinstance(tested, Path) else f"{name}.txt",
        "names": dict(enumerate(CLASS_NAMES)),
    }
    (out / f"{name}.yaml").write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")


def join(
    out: Path, folders: Sequence[Path], photos: Sequence[str], held: Sequence[str], left_out: Sequence[str]
) -> int:
    """Link annotations and pictures of VOC folders into one, for the classifier; return how many photos it has.

    Args:
        photos: stems in the detector's mix; photos without a mask come from these only.
        held: stems of the main set's photos that are held out.
    """
    draw, known, count = random.Random(0), set(photos), 0
    for kind in ("annotations", "images"):
        (out / kind).mkdir(parents=True, exist_ok=True)
    for folder in folders:
        for xml in sorted((folder / "annotations").glob("*.xml")):
            names = [str(thing.findtext("name")) for thing in ET.parse(xml).iter("object")]
            if xml.stem in held or (xml.stem.startswith("xo_") and source_of(xml.stem) in left_out) or not names:
                continue
            masked = any(name != "without_mask" for name in names)
            painted = xml.stem.startswith("painted_")
            if xml.stem.startswith("xo_") and not masked:
                if xml.stem not in known or (len(names) > CROWD and draw.random() < 1 - CROWD_SHARE):
                    continue
            elif painted and xml.stem not in known:
                continue
            picture = next((folder / "images").glob(f"{xml.stem}.*"))
            for file in (xml, picture):
                link = out / ("annotations" if file is xml else "images") / file.name
                if not link.is_symlink():
                    link.symlink_to(os.path.realpath(file))
            count += 1
    return count


def main() -> None:
    """Read the command line and write the mix."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--main", type=Path, help="the main set, converted with its labels completed")
    parser.add_argument("--open", type=Path, required=True, help="the open photos, converted")
    parser.add_argument("--painted", type=Path, nargs="*", default=[], help="painted photos, converted")
    parser.add_argument("--voc", type=Path, nargs="*", default=[], help="the same as VOC folders, for the classifier")
    parser.add_argument("--leave-out", default=",".join(LEFT_OUT), help="sources, with commas")
    parser.add_argument("--part", type=float, default=1.0, help="of the open and painted photos")
    parser.add_argument("--once", action="store_true", help="photos of the main set count once")
    parser.add_argument("--everything", action="store_true", help="photos held out and sources left out join")
    options = parser.parse_args()
    left_out = options.leave_out.split(",")
    chosen = mix(
        options.out,
        options.main,
        options.open,
        options.painted,
        left_out,
        part=options.part,
        once=options.once,
        everything=options.everything,
    )
    print(f"{len(chosen)} photos: {options.out / 'data.yaml'}")
    for source, number in sorted(Counter(origin_of(picture.stem) for picture in chosen).items()):
        print(f"{number:6,}  {source}")
    if options.voc:
        held = [] if options.main is None else [picture.stem for picture in pictures_in(options.main, "val")]
        stems = [picture.stem for picture in chosen]
        print(f"{join(options.out / 'voc', options.voc, stems, held, left_out)} photos: {options.out / 'voc'}")


if __name__ == "__main__":
    main()
