"""Files: pictures and videos named by a path, a folder or a glob pattern."""

from __future__ import annotations

import glob
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from maskdet.decode import IMAGE_SUFFIXES, decode_file
from maskdet.errors import SourceError
from maskdet.results import ImageInfo
from maskdet.sources.picture import Picture, Source
from maskdet.sources.video import VIDEO_SUFFIXES, VideoFile


@dataclass(frozen=True, slots=True)
class PictureFile(Source):
    """A picture file that was found but not decoded yet."""

    path: Path
    relative: Path

    def decode(self) -> Picture:
        """Read and decode the file.

        Raises:
            SourceError: see ``maskdet.decode``.
        """
        pixels = decode_file(self.path)
        return Picture(pixels, ImageInfo(str(self.path), pixels.shape[1], pixels.shape[0]), self.relative)

    def read(self, *, stride: int, stop: threading.Event) -> Iterator[Picture]:
        """Yield the one picture; see ``Source.read``."""
        yield self.decode()


def find_files(source: str | Path) -> list[PictureFile | VideoFile]:
    """List the pictures and videos that a path, a folder or a glob pattern names.

    A folder is searched through all its subfolders, in sorted order, by file ending; hidden files are passed over.

    Raises:
        SourceError: nothing is there, or a folder or pattern holds no picture and no video.
    """
    path = Path(source)
    if path.is_dir():
        found = sorted(
            child
            for child in path.rglob("*")
            if child.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES
            and not child.name.startswith(".")
            and child.is_file()
        )
        if not found:
            endings = ", ".join(sorted(IMAGE_SUFFIXES) + sorted(VIDEO_SUFFIXES))
            raise SourceError(source, f"no pictures or videos in this folder (looked for {endings})")
        return [_by_suffix(child, child.relative_to(path)) for child in found]
    # A file may well be called "a[1].jpg": a name that exists is never a pattern.
    if not path.exists() and glob.has_magic(str(source)):
        names = sorted(glob.glob(str(source), recursive=True))  # noqa: PTH207 (Path.glob takes no absolute patterns)
        matches = [Path(name) for name in names if Path(name).is_file()]
        if not matches:
            raise SourceError(source, "no file matches this pattern")
        return [_by_suffix(child, Path(child.name)) for child in matches]
    if not path.exists():
        raise SourceError(source, "no such file or folder")
    return [_by_suffix(path, Path(path.name))]


def _by_suffix(path: Path, relative: Path) -> PictureFile | VideoFile:
    kind = VideoFile if path.suffix.lower() in VIDEO_SUFFIXES else PictureFile
    return kind(path, relative)
