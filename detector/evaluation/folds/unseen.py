"""No model is scored on photos that it has seen: what its file carries of them decides."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from maskdet.datasets.photos.seen import KEY, photos_among
from maskdet.errors import WeightsError


def check_unseen(metadata: Mapping[str, str], name: str, photos: Sequence[Path], fold: str) -> None:
    """Refuse a detector or classifier that has seen a photo of the part ``fold``, or does not say what it has seen.

    A detector without marks of its photos, as other programs train it, is believed where its file says that it was
    trained on ``fold1.yaml``, say.

    Raises:
        WeightsError: it is refused.
        SourceError: a photo cannot be read.
    """
    if KEY in metadata:
        if seen := photos_among(photos, metadata[KEY]):
            some = f"{len(seen)} of the {len(photos)} photos that {fold} tests on, {seen[0].name} among them"
            raise WeightsError(name, f"has seen {some}: give one that was trained without them")
        return
    trained = json.loads(metadata.get("maskdet_training", "{}")).get("data") or ""
    told = Path(str(trained)).name
    if not told.endswith((".yaml", ".yml")):
        reason = (
            "does not say which photos it was trained on, as what `maskdet export` and `maskdet study --ship` write"
        )
        raise WeightsError(name, reason)
    if Path(told).stem != fold:
        raise WeightsError(name, f"was trained on {trained}: it has seen the photos that {fold} tests on")
