"""The photos and boxes that a training sees: read once, checked, and what is left out is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from maskdet.datasets.photos.photo import describe_classes
from maskdet.datasets.yolo.data_yaml import DataYaml, find_data_yaml, read_data_yaml
from maskdet.datasets.yolo.read import LabelledPicture, read_pictures
from maskdet.errors import DatasetError

#: Photos left out that are named before "…".
_NAMED: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """A data set ready to be trained on.

    Attributes:
        photos: the usable photos of ``train`` and of that split.
        left_out: a line for each photo that cannot be used.
        seen_before: marks of the photos that the weights have seen already, None where that is not known.
    """

    description: DataYaml
    validated_on: str
    photos: dict[str, tuple[LabelledPicture, ...]]
    left_out: tuple[str, ...]
    seen_before: str | None = ""

    def remarks(self) -> Iterator[str]:
        """Yield what somebody should know before the first epoch, a line each."""
        yield describe_classes(self.description.names)
        yield from (f"left out: {line}" for line in self.left_out[:_NAMED])
        if more := len(self.left_out) - _NAMED:
            yield from [f"left out: {more} more photos; `maskdet data check` lists them"] if more > 0 else []

    def as_ultralytics(self, *, single_class: bool = False) -> dict[str, Any]:
        """Return the description as ultralytics holds it, with nothing in it to run or fetch."""
        sources = {split: [str(source) for source in self.description.splits[split]] for split in self.photos}
        names = ("item",) if single_class else self.description.names
        return {**sources, "names": dict(enumerate(names)), "nc": len(names), "channels": 3}


def read_training_data(data: str, *, validated_on: str = "val", single_class: bool = False) -> TrainingData:
    """Read a data set for training.

    Args:
        data: a ``data.yaml``, or the folder that holds one.
        single_class: every class number counts as 0.

    Raises:
        DatasetError: it cannot be read, a split or its folder is missing, or one has no usable photo; ``train`` must
            also have a labelled face.
    """
    path = find_data_yaml(data)
    description = read_data_yaml(path)
    description.require("train", validated_on)
    photos: dict[str, tuple[LabelledPicture, ...]] = {}
    left_out: list[str] = []
    for split in dict.fromkeys(("train", validated_on)):
        files = description.pictures(split)
        usable = []
        for file, one in zip(files, read_pictures(files, description, single_class=single_class), strict=True):
            if isinstance(one, LabelledPicture):
                usable.append(one)
            else:
                line = getattr(one, "line", None)
                left_out.append(f"{split}/{file.name}: " + (f"line {line}: " if line else "") + one.reason)
        if not usable:
            why = f": the first one, {left_out[-len(files)]}" if files else ""
            raise DatasetError(path, f"split {split!r} has no usable photo{why}")
        photos[split] = tuple(usable)
    if not any(photo.labels is not None and len(photo.labels.rows) for photo in photos["train"]):
        raise DatasetError(path, "split 'train' has no labelled faces: its labels belong beside images/, in labels/")
    return TrainingData(description, validated_on, photos, tuple(left_out))
