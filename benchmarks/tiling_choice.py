"""How the rules of ``detector/inference/tiles.py`` were chosen: alternatives side by side, on mosaics of training
photos only.

The network sees every tile once; the rules are then tried on what it found. The shipped model was trained on these very
photos, so the figures rank the rules and say nothing of its accuracy::

    python benchmarks/tiling_choice.py --data FACE_MASK_DETECTION
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from mosaics import HEIGHT, WIDTH, Mosaic, build_mosaics, read_part
from tiling import figures, heading, line

from maskdet.detector.evaluation.evaluate import VAL_CONF
from maskdet.detector.inference.model import MaskDetector
from maskdet.detector.inference.postprocess import Detections, box_iou
from maskdet.detector.inference.tiles import View, is_cut, longer_than, merge_views, tile_grid

PICTURE = (HEIGHT, WIDTH)
Rule = Callable[[Detections, Sequence[View]], Detections]


def main() -> None:
    """Print one line for each size of tile, overlap and rule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the public data set")
    parser.add_argument("--most", type=int, default=14, help="mosaics")
    parser.add_argument("--sizes", type=int, nargs="+", default=[640, 480, 400, 320])
    parser.add_argument("--overlaps", type=float, nargs="+", default=[0.1, 0.2, 0.3])
    options = parser.parse_args()

    mosaics = build_mosaics(read_part(options.data, "train"), most=options.most)
    truths = [mosaic.truth for mosaic in mosaics]
    detector = MaskDetector(threads=1)
    print(heading())
    wholes = [see(detector, mosaic, (0, 0, WIDTH, HEIGHT)).found for mosaic in mosaics]
    for size in options.sizes:
        for overlap in options.overlaps:
            grid = tile_grid(HEIGHT, WIDTH, size, overlap)
            tiles = [[see(detector, mosaic, tuple(window)) for window in grid.tolist()] for mosaic in mosaics]
            print(f"tiles of {size}, overlap {overlap}: {len(grid)}")
            for name, rule in rules(size * overlap).items():
                found = [rule(whole, views) for whole, views in zip(wholes, tiles, strict=True)]
                print(line(name, {**figures(truths, found), "cpu_seconds": float("nan")}), flush=True)


def see(detector: MaskDetector, mosaic: Mosaic, window: tuple[int, ...]) -> View:
    """Return what the network finds in one part of a mosaic."""
    left, top, right, bottom = window
    (found,) = detector.detect_arrays([mosaic.pixels[top:bottom, left:right]], conf=VAL_CONF, multi_label=True)
    return View(np.array(window), found)


def rules(longest: float) -> dict[str, Rule]:
    """Return the alternatives; ``longest`` is the longest face that is whole in some tile, pixels."""
    chosen = {
        f"ours, iou {iou}": lambda whole, views, iou=iou: merge_views(
            longer_than(whole, longest), views, PICTURE, iou=iou
        )
        for iou in (0.7, 0.6, 0.5, 0.4)
    }
    return {
        **chosen,
        "whole view full": lambda whole, views: merge_views(whole, views, PICTURE),
        "cut boxes kept": lambda whole, views: merge_uncut(longer_than(whole, longest), views),
        "cut boxes gone": lambda whole, views: merge_uncut(
            longer_than(whole, longest), [without_cut(view) for view in views]
        ),
        "IoS 0.7": lambda whole, views: by_smaller(longer_than(whole, longest), views, 0.7),
    }


def merge_uncut(whole: Detections, views: Sequence[View]) -> Detections:
    """Merge as if no border cut anything: every window then ends where its picture does."""
    moved = [View(np.array([0, 0, WIDTH, HEIGHT]), in_picture(view)) for view in views]
    return merge_views(whole, moved, PICTURE)


def without_cut(view: View) -> View:
    """Drop every box that an inner border cuts, covered or not."""
    kept = ~is_cut(view, PICTURE)
    return View(view.window, Detections(*(part[kept] for part in view.found)))


def in_picture(view: View) -> Detections:
    """Return the boxes in pixels of the picture."""
    shift = view.window[[0, 1, 0, 1]].astype(np.float32)
    return Detections(view.found.boxes + shift, view.found.confidences, view.found.class_ids)


def by_smaller(whole: Detections, views: Sequence[View], threshold: float) -> Detections:
    """NMS by IoU 0.5 or by intersection over the smaller box, class by class: a cut box is most of itself."""
    parts = [whole, *(in_picture(view) for view in views)]
    boxes, confidences, class_ids = (np.concatenate(column) for column in zip(*parts, strict=True))
    planes = boxes + class_ids[:, None].astype(np.float32) * (WIDTH + 1)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    order, kept = np.argsort(-confidences, kind="stable"), []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        iou = box_iou(planes[best][None], planes[rest])[0]
        shared = iou * (area[best] + area[rest]) / (1 + iou)
        order = rest[(iou <= 0.5) & (shared <= threshold * np.minimum(area[best], area[rest]))]
    return Detections(boxes[kept], confidences[kept], class_ids[kept])


if __name__ == "__main__":
    main()
