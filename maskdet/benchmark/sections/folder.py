"""A folder of photos, from files to JSON, and a video, from file to JSON."""

from __future__ import annotations

from pathlib import Path

from maskdet.benchmark.measuring.pictures import originals, photo_folder, write_clip
from maskdet.benchmark.measuring.runtimes import find_detector
from maskdet.benchmark.measuring.section import Section, Settings
from maskdet.benchmark.sections.end_to_end import measure_end_to_end


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


def measure_video(settings: Settings, folder: Path) -> Section:
    """Measure ``maskdet detect CLIP --json`` on a generated video.

    Raises:
        MaskdetError: the model cannot be used, or no video can be written.
    """
    detector = find_detector(settings)
    sources = (
        write_clip(folder / "clip.mp4", settings.frames, settings.frame_size),
        write_clip(folder / "frame.mp4", 1, settings.frame_size),
    )
    width, height = settings.frame_size
    title = f"{settings.frames} frames of {width}×{height}, {detector.name} at {detector.imgsz} px, video to JSON"
    return measure_end_to_end("video", title, settings, detector, sources, settings.frames, folder)
