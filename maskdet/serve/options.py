"""How a request wants its picture looked at: the options of ``maskdet detect`` as a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from maskdet.detector.inference.thresholds import Threshold
from maskdet.detector.inference.tiles import tile_grid
from maskdet.serve.problems import ProblemError

DetectMode = Literal["detect", "chain", "compare"]

#: Work that one picture may ask for, in looks at the usual input: a few seconds on two cores.
MOST_LOOKS: Final = 48

#: Work of ``augment`` beside one look.
_AUGMENT: Final = 3.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How pictures are looked at; the names are those of ``MaskDetector``, and ``mode`` is that of ``predict``."""

    mode: Literal["detect", "chain", "compare", "classify"] = "detect"
    conf: Threshold = None
    iou: float = 0.7
    imgsz: int | None = None
    agnostic_nms: bool = True
    tile: bool | int = False
    close_ups: bool | None = None
    augment: bool = False

    @classmethod
    def of(cls, options: Any) -> Look:
        """Take it from whatever has attributes of these names, and ``tile_size``."""
        given = {each.name: getattr(options, each.name) for each in fields(cls)}
        return cls(**{**given, "tile": options.tile_size or options.tile, "augment": bool(options.augment)})

    def detector_options(self) -> dict[str, Any]:
        """Return what ``MaskDetector`` takes of it."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "mode"}

    def looks(self, size: tuple[int, int], usual: int) -> float:
        """Return the work that a picture takes, in looks at the usual input.

        Args:
            size: (width, height) of the picture, pixels.
            usual: the network's usual input, pixels.
        """
        side = self.imgsz or usual
        work = (side / usual) ** 2 * (_AUGMENT if self.augment else 1)
        if self.tile and max(size) > (tile := side if self.tile is True else self.tile):
            across, down = (-(-2 * length // tile) for length in size)  # at a first guess, which costs nothing
            count = across * down if across * down > 10_000 else len(tile_grid(size[1], size[0], tile, 0.25))
            work += count * (side / usual) ** 2
        return work


class LookQuery(BaseModel):
    """The query of a request; what is not given is as the server was started."""

    model_config = ConfigDict(extra="forbid")

    mode: Annotated[
        DetectMode | None,
        Field(
            description="detect: the detector alone; chain: with the classifier "
            "in one answer; compare: both answers side by side"
        ),
    ] = None
    conf: Annotated[
        Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | Literal["f1"] | None,
        Field(description="least confidence, or f1 for the model's own thresholds", examples=[0.25]),
    ] = None
    iou: Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False, description="threshold of NMS")] = None
    imgsz: Annotated[int | None, Field(ge=32, le=8192, description="longer side of the input, pixels")] = None
    tile: Annotated[
        bool | Annotated[int, Field(ge=32, le=8192)] | None,
        Field(description="look at large pictures in tiles too: true, or a tile's side in pixels", examples=[True]),
    ] = None
    close_ups: Annotated[bool | None, Field(description="a second look for faces that fill the picture")] = None
    augment: Annotated[bool | None, Field(description="also mirrored and smaller: 3.4 times the work")] = None
    agnostic_nms: Annotated[bool | None, Field(description="report a face once, though two classes answer")] = None

    def over(self, usual: Look) -> Look:
        """Return how to look: as usual but for what is given."""
        given: Mapping[str, Any] = self.model_dump(exclude_none=True)
        return replace(usual, **given)


def check_work(look: Look, size: tuple[int, int], usual: int) -> None:
    """Refuse what would keep everybody else waiting.

    Raises:
        ProblemError: a picture of ``size`` (width, height) looked at so is too much work.
    """
    looks = look.looks(size, usual)
    if looks > MOST_LOOKS:
        what = "tile" if look.tile else "imgsz"
        raise ProblemError(
            422,
            f"{what}: {size[0]}×{size[1]} pixels looked at so are {looks:,.0f} times the usual work, and at most "
            f"{MOST_LOOKS} are done",
            reason="option",
        )
