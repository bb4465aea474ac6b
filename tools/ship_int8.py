"""Make the INT8 twin of a shipped detector, hold its accuracy to the original's, and register it as ``TWIN``.

Ranges come from training photos, figures from the photos held out, with the same command as the original's. What its card
says is what the original's says, unless ``TWIN.facts.yaml`` stands there already::

    python tools/ship_int8.py maskdet-n-public maskdet-n-int8 --data public/data.yaml

Nothing is registered where accuracy falls by more than the project allows. Speed is said and not judged: it depends on
the processor.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from cards import WEIGHTS
from register_model import register

from maskdet.cli import cli
from maskdet.detector.export.quantise import CALIBRATION_PHOTOS, Quantised, quantise

#: mAP50-95 that INT8 may cost.
MAX_LOSS: Final = 0.008

#: How much faster the project wants INT8 to be on a processor with VNNI.
WANTED_SPEED: Final = 1.6


def score(model: Path, data: Path) -> dict[str, Any]:
    """Return what ``maskdet val`` says of a model on the split ``val``."""
    report = model.with_suffix(".val.json")
    words = ["val", f"model={model}", f"data={data}", "--near-copies", "--json", str(report), "--quiet"]
    cli.main(words, prog_name="maskdet", standalone_mode=False)
    scored: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return scored


def loss(before: dict[str, Any], after: dict[str, Any]) -> float:
    """Return by how much mAP50-95 fell.

    Raises:
        SystemExit: the two reports are of different data, or it fell too far.
    """
    if before["data"] != after["data"]:
        raise SystemExit("error: the original's report is of other data: give those, or score the original on these")
    fell = float(before["map50_95"] - after["map50_95"])
    if fell > MAX_LOSS:
        raise SystemExit(f"error: mAP50-95 falls by {fell:.4f}, more than {MAX_LOSS}: not registered")
    return fell


def ship(
    name: str, twin: str, data: Path, folder: Path = WEIGHTS, *, photos: int = CALIBRATION_PHOTOS
) -> tuple[Quantised, float]:
    """Quantise, score and register as ``twin``; return what was made and by how much mAP50-95 fell.

    Raises:
        SystemExit: no such model in ``folder``, or its INT8 twin is not good enough.
    """
    registry = json.loads((folder / "models.json").read_text(encoding="utf-8"))
    entry = registry["models"].get(name)
    if entry is None or entry["task"] != "detect":
        raise SystemExit(f"error: {name} is no detector in {folder / 'models.json'}")
    before = json.loads((folder / entry["figures"]["report"]).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(shutil.copy(folder / entry["file"], scratch))
        made = quantise(source, data, photos=photos)
        after = score(made.path, data)
        fell = loss(before, after)
        facts = folder / f"{twin}.facts.yaml"
        if not facts.is_file():
            facts.write_text(f"like: {name}\n", encoding="utf-8")
        register(twin, made.path, after, folder)
    return made, fell


def main() -> None:
    """Read the command line and ship."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="a detector in weights/models.json")
    parser.add_argument("twin", help="what its INT8 twin is called")
    parser.add_argument("--data", type=Path, required=True, help="its data.yaml: split train calibrates, val scores")
    parser.add_argument("--photos", type=int, default=CALIBRATION_PHOTOS, help="how many set the ranges")
    options = parser.parse_args()
    made, fell = ship(options.name, options.twin, options.data, photos=options.photos)
    print(f"{options.twin}.onnx: {made.bytes_before / 1e6:.1f} MB → {made.bytes_after / 1e6:.1f} MB")
    print(f"mAP50-95 {'falls' if fell > 0 else 'rises'} by {abs(fell):.4f} (allowed: {MAX_LOSS})")
    print(f"{made.speed:.2f} times as fast in ONNX Runtime on this machine (wanted with VNNI: {WANTED_SPEED})")


if __name__ == "__main__":
    main()
