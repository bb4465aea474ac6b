"""supervision: its ``Detections``, for trackers, zones and annotators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from maskdet.extras import require

if TYPE_CHECKING:
    import supervision as sv

    from maskdet.results import MaskResult

#: The tracker id of a face without one among others that have one, as trackers give it.
UNTRACKED = -1


def to_detections(result: MaskResult) -> sv.Detections:
    """Return the faces as ``supervision.Detections``; see ``MaskResult.to_supervision``."""
    module = require("supervision", what="to_supervision()", extra="supervision")
    ids = [face.track_id for face in result.faces]
    tracked = any(one is not None for one in ids)
    return module.Detections(
        xyxy=result.boxes,
        confidence=result.confidences,
        class_id=result.class_ids,
        tracker_id=np.array([UNTRACKED if one is None else one for one in ids], dtype=np.int64) if tracked else None,
        data={"class_name": np.array([face.name for face in result.faces], dtype=np.str_)},
    )
