"""A video, from file to JSON."""

from __future__ import annotations

from pathlib import Path

from maskdet.benchmark.detector_file import find_detector
from maskdet.benchmark.end_to_end import measure_end_to_end
from maskdet.benchmark.pictures import write_clip
from maskdet.benchmark.section import Section, Settings


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
