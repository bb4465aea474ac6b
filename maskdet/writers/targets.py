"""What one call is asked to write, and where; light, so that the command line can build it."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Targets:
    """Everything that ``maskdet detect`` can write; None means not asked for.

    Attributes:
        tracks: file of one JSON object a person.
        pictures: folder of annotated pictures.
        txt: folder of YOLO label files.
        crops: folder of faces cut out, one subfolder a class.
    """

    json: str | None = None
    csv: str | None = None
    coco: str | None = None
    tracks: str | None = None
    pictures: str | None = None
    txt: str | None = None
    txt_confidence: bool = False
    voc: str | None = None
    crops: str | None = None
    overwrite: bool = False

    @property
    def to_stdout(self) -> list[str]:
        """Names of the forms that go to standard output, which has room for one."""
        return [name for name in ("json", "csv", "coco") if getattr(self, name) == "-"]

    @property
    def any(self) -> bool:
        """Whether anything at all is to be written beside the tracks, which come beside pictures too."""
        return any(isinstance(getattr(self, field.name), str) for field in fields(self) if field.name != "tracks")
