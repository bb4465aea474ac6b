"""A folder of photos, from files to JSON."""

from __future__ import annotations

from pathlib import Path

from maskdet.benchmark.detector_file import find_detector
from maskdet.benchmark.end_to_end import measure_end_to_end
from maskdet.benchmark.pictures import originals, photo_folder
from maskdet.benchmark.section import Section, Settings


def measure_folder(settings: Settings, folder: Path) -> Section:
    """Measure ``maskdet detect FOLDER --json`` on at most ``settings.limit`` photos.

    Raises:
        MaskdetError: the model or the photos cannot be used.
    """
    detector = find_detector(settings)
    photos = originals(settings.source, folder / "originals", settings.limit)
    count = settings.limit if settings.source is None else len(photos)
    sources = photo_folder(folder / "photos", photos, count), photo_folder(folder / "photo", photos, 1)
    which = "generated photos" if settings.source is None else f"photos of {settings.source.resolve().name}"
    title = f"{count} {which}, {detector.name} at {detector.imgsz} px, files to JSON"
    return measure_end_to_end("folder", title, settings, detector, sources, count, folder)
