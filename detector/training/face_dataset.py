"""``FaceDataset``: ultralytics' training set with close-ups and more faces of the rare class.

Imports ultralytics, so it is itself imported only by ``maskdet.detector.training.trainer``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from ultralytics.data.dataset import YOLODataset

from maskdet.classes import CLASS_NAMES
from maskdet.datasets.photos.photo import ClassMap
from maskdet.datasets.yolo.read import LabelledPicture
from maskdet.detector.training.camera import see_through, training_faults
from maskdet.detector.training.face_augment import (
    Boxes,
    FaceAugmentation,
    Image,
    Patch,
    crop_boxes,
    cut_patch,
    draw_close_up,
    paste_face,
    slip_mask,
)

#: A file in a folder that cannot be: there is nothing in it to take for a photo.
_NOWHERE: Final = Path("/dev/null/nothing.npy")


class CheckedDataset(YOLODataset):  # type: ignore[misc]
    """ultralytics' data set of photos and boxes that maskdet has read itself.

    ultralytics would unpickle a ``.cache`` file beside the labels, take an ``.npy`` beside a photo for the photo, and
    write all of these, and photos that it mends, into the data set. Here nothing but photos and labels is read, and
    nothing is written unless ``cache=disk`` asks for it.
    """

    def __init__(self, *args: Any, photos: Sequence[LabelledPicture], cache: Any = None, **kwargs: Any) -> None:
        """Set up as ultralytics does; ``photos`` stand for what it would read."""
        self._photos = photos
        self._arrays = cache == "disk"
        super().__init__(*args, cache=cache, **kwargs)

    @property
    def npy_files(self) -> list[Path]:
        """Where the pixels of each photo may be kept."""
        return self._npy_files

    @npy_files.setter
    def npy_files(self, files: list[Path]) -> None:
        self._npy_files = files if self._arrays else [_NOWHERE] * len(files)

    def get_img_files(self, img_path: Any) -> list[str]:
        """Return the photos' files, or the part of them that ``fraction=`` asks for."""
        part = self.fraction
        count = part if isinstance(part, int) else max(1, round(len(self._photos) * part))
        return [str(photo.picture.path) for photo in self._photos[:count]]

    def get_labels(self) -> list[dict[str, Any]]:
        """Return the boxes of each photo as ultralytics holds them: those without area and repeated ones left out."""
        return [_label(photo) for photo in self._photos[: len(self.im_files)]]


def _label(photo: LabelledPicture) -> dict[str, Any]:
    width, height = photo.picture.size
    faces = np.zeros((0, 5), np.float32)
    if photo.labels is not None:
        kept = ~photo.labels.repeated & photo.labels.has_area
        faces = np.column_stack([photo.labels.class_ids, photo.labels.rows])[kept].astype(np.float32)
    return {
        "im_file": str(photo.picture.path),
        "shape": (height, width),
        "cls": faces[:, :1],
        "bboxes": faces[:, 1:],
        "segments": [],
        "keypoints": None,
        "normalized": True,
        "bbox_format": "xywh",
    }


#: Faces narrower than this, in pixels of the training picture, are not pasted elsewhere.
LEAST_PATCH: Final = 16

#: A pasted face is enlarged at most so many times, or its blur would give it away.
MOST_ENLARGED: Final = 2.0


class FaceDataset(CheckedDataset):
    """Augments each photo before mosaic joins it with others."""

    def __init__(self, *args: Any, faces: FaceAugmentation, **kwargs: Any) -> None:
        """Hold the photos that it is given.

        Data whose classes are others than ours by name, or that show none of the rare class, get no painted faces:
        where nobody labelled it, painting it would teach what the labels deny.
        """
        super().__init__(*args, **kwargs)
        classes = [label["cls"].reshape(-1).astype(int) for label in self.labels]
        names = [str(name) for name in dict(self.data["names"]).values()]
        counts = np.bincount(np.concatenate([*classes, np.arange(len(names))]), minlength=len(names))
        #: How much a face of each class counts where one is chosen: inverse frequency to the power of one half.
        self.class_weights = (counts.max() / counts) ** 0.5
        members = [(photo, at) for photo, present in enumerate(classes) for at in range(len(present))]
        self.of_class = [[m for m in members if classes[m[0]][m[1]] == name] for name in range(len(names))]
        resolved = [ClassMap().resolve(name) for name in names]
        known = sorted(index for index in resolved if index is not None) == list(range(len(CLASS_NAMES)))
        #: The data set's own numbers of with_mask, without_mask and mask_weared_incorrect; -1 where it has others.
        self.masked, self.bare, self.rare = (
            resolved.index(index) if known and len(names) == len(CLASS_NAMES) else -1 for index in range(3)
        )
        ours = self.rare >= 0 and bool(self.of_class[self.rare])
        self.rare_photos = sorted({photo for photo, _ in self.of_class[self.rare]}) if ours else []
        self.faces = faces if ours else replace(faces, rare_photo=0.0, paste_rare=0.0, slip_mask=0.0)

    def get_image_and_label(self, index: int) -> dict[str, Any]:
        """Return a photo and its labels, or those of a photo of the rare class."""
        rng = np.random.default_rng(np.random.randint(2**32))
        if self.rare_photos and rng.random() < self.faces.rare_photo:
            index = self.rare_photos[rng.integers(len(self.rare_photos))]
        label: dict[str, Any] = super().get_image_and_label(index)
        return label

    def update_labels_info(self, label: dict[str, Any]) -> dict[str, Any]:
        """Augment a photo, then go on as ultralytics does."""
        if len(label["cls"]) and self.faces.any:
            self._augment(label, np.random.default_rng(np.random.randint(2**32)))
        updated: dict[str, Any] = super().update_labels_info(label)
        return updated

    def _augment(self, label: dict[str, Any], rng: np.random.Generator) -> None:
        height, width = label["img"].shape[:2]
        boxes = _to_xyxy(label["bboxes"], width, height)
        classes = label["cls"].reshape(-1).astype(int)
        if self.faces.paste_rare or self.faces.slip_mask:
            label["img"], classes = self._more_rare(label["img"], boxes, classes, rng)
        if rng.random() < self.faces.close_up:
            window = draw_close_up(boxes, self.class_weights[classes], (width, height), int(self.imgsz), rng)
            boxes, kept = crop_boxes(boxes, window)
            boxes, classes = boxes[kept], classes[kept]
            label["img"] = _resized(label["img"], window, int(self.imgsz))
            width, height = window[2] - window[0], window[3] - window[1]
            label["resized_shape"] = label["img"].shape[:2]
        if len(boxes) and rng.random() < self.faces.poor_camera:
            shown = label["img"].shape[1] / width  # a close-up's boxes are in pixels of the window, not of the picture
            smallest = float((boxes[:, 2:] - boxes[:, :2]).max(axis=1).min()) * shown
            label["img"] = see_through(label["img"], training_faults(smallest), rng)
        label["bboxes"] = _to_xywh(boxes, width, height)
        label["cls"] = classes.astype(np.float32)[:, None]

    def _more_rare(
        self, image: Image, boxes: Boxes, classes: npt.NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[Image, npt.NDArray[np.int64]]:
        """Return a copy of the photo with faces of the rare class in place of others, and the new classes."""
        image, classes = image.copy(), classes.copy()
        for at, (box, name) in enumerate(zip(boxes, classes, strict=True)):
            draw = rng.random()
            if name != self.rare and draw < self.faces.paste_rare:
                patch = self._patch(self.rare, 0.2, box, rng)
                if patch and paste_face(image, box, patch, rng):
                    classes[at] = self.rare
            elif name == self.bare and draw < self.faces.paste_rare + self.faces.slip_mask:
                patch = self._patch(self.masked, 0.0, box, rng)
                if patch and slip_mask(image, box, patch, rng):
                    classes[at] = self.rare
        return image, classes

    def _patch(
        self, name: int, margin: float, goal: npt.NDArray[np.floating], rng: np.random.Generator
    ) -> Patch | None:
        """Cut a random face of a class that is large enough for the box ``goal``, None where five tries find none."""
        least = max(float(min(goal[2:] - goal[:2])) / MOST_ENLARGED, LEAST_PATCH)
        for _ in range(5 if self.of_class[name] else 0):
            photo, at = self.of_class[name][rng.integers(len(self.of_class[name]))]
            pixels = self.load_image(photo)[0]
            box = _to_xyxy(self.labels[photo]["bboxes"], pixels.shape[1], pixels.shape[0])[at]
            patch = cut_patch(pixels, box, margin) if min(box[2:] - box[:2]) >= least else None
            if patch:
                return patch
        return None


def _to_xyxy(xywh: Boxes, width: int, height: int) -> Boxes:
    """Return (N, 4) pixels from (N, 4) centre and size relative to the picture."""
    half = xywh[:, 2:] / 2
    boxes = np.concatenate([xywh[:, :2] - half, xywh[:, :2] + half], axis=1)
    pixels: Boxes = (boxes * np.array([width, height] * 2)).astype(np.float32)
    return pixels


def _to_xywh(xyxy: Boxes, width: int, height: int) -> Boxes:
    """Undo ``_to_xyxy``."""
    boxes = np.concatenate([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], axis=1)
    relative: Boxes = (boxes / np.array([width, height] * 2)).astype(np.float32)
    return relative


def _resized(image: Image, window: tuple[int, int, int, int], imgsz: int) -> Image:
    """Cut a window and bring its longer side to ``imgsz``."""
    import cv2

    left, top, right, bottom = window
    scale = imgsz / max(right - left, bottom - top)
    size = (max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1))
    way = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA
    resized: Image = cv2.resize(image[top:bottom, left:right], size, interpolation=way)
    return resized
