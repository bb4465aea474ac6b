"""Draw what training does to a photo before mosaic: ``docs/images/augmentation.jpg``, from the shippable example.

python tools/draw_augmentation.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

import maskdet
from maskdet.detector.training.camera import see_through, training_faults
from maskdet.detector.training.face_augment import crop_boxes, cut_patch, draw_close_up, paste_face, slip_mask
from maskdet.imaging.decode import decode_file
from maskdet.results import faces_from_arrays
from maskdet.results.draw import draw_faces

ROOT = Path(__file__).resolve().parent.parent
HEIGHT, SEED = 150, 6

Image = npt.NDArray[np.uint8]


def tile(image: Image, boxes: npt.NDArray[np.float32], classes: list[int], title: str) -> Image:
    """Return the picture with its labels, ``HEIGHT`` pixels high, under a title."""
    scale = HEIGHT / image.shape[0]
    resized = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    faces = faces_from_arrays(boxes * np.float32(scale), np.ones(len(boxes), np.float32), np.array(classes))
    drawn = draw_faces(np.asarray(resized, np.uint8), faces)
    head = np.full((24, drawn.shape[1], 3), 255, np.uint8)
    cv2.putText(head, title, (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([head, drawn])


def main() -> None:
    """Draw and write."""
    photo = decode_file(ROOT / "examples" / "crew.jpg")
    result = maskdet.predict(photo)
    boxes = np.array([face.box for face in result.faces], dtype=np.float32)
    classes = [face.class_id for face in result.faces]
    rng = np.random.default_rng(SEED)
    tiles = [tile(photo, boxes, classes, "photo")]
    for _ in range(2):
        window = draw_close_up(boxes, np.ones(len(boxes)), (photo.shape[1], photo.shape[0]), 640, rng)
        moved, kept = crop_boxes(boxes, window)
        left, top, right, bottom = window
        tiles.append(tile(photo[top:bottom, left:right], moved[kept], np.array(classes)[kept].tolist(), "close_up"))
    rare, masked = classes.index(2), classes.index(0)
    pasted, slipped = photo.copy(), photo.copy()
    patch = cut_patch(photo, boxes[rare], 0.1)
    assert patch is not None and paste_face(pasted, boxes[masked], patch, rng)
    tiles.append(tile(pasted, boxes, [2 if at == masked else name for at, name in enumerate(classes)], "paste_rare"))
    bare, mask = classes.index(1), cut_patch(photo, boxes[masked], 0.0)
    assert mask is not None and slip_mask(slipped, boxes[bare], mask, rng)
    tiles.append(tile(slipped, boxes, [2 if at == bare else name for at, name in enumerate(classes)], "slip_mask"))
    smallest = float((boxes[:, 2:] - boxes[:, :2]).max(axis=1).min())
    tiles.insert(3, tile(see_through(photo, training_faults(smallest), rng), boxes, classes, "poor_camera"))
    rows = [np.hstack(tiles[:4]), np.hstack(tiles[4:])]
    width = max(row.shape[1] for row in rows)
    sheet = np.vstack([np.pad(row, ((0, 6), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows])
    target = ROOT / "docs" / "images" / "augmentation.jpg"
    target.write_bytes(cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
