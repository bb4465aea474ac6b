"""The three classes, in the one order used everywhere: what names mean, what counts say, and their colours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

ClassName = Literal["with_mask", "without_mask", "mask_weared_incorrect"]

#: Index = class id. The last name is the data set's own spelling.
CLASS_NAMES: Final[tuple[ClassName, ...]] = ("with_mask", "without_mask", "mask_weared_incorrect")

#: Names met in other data sets, each with the class it means; case, spaces, hyphens and underscores make no difference.
CLASS_ALIASES: Final[dict[str, ClassName]] = {
    "mask": "with_mask",
    "masked": "with_mask",
    "face_mask": "with_mask",
    "no_mask": "without_mask",
    "unmasked": "without_mask",
    "mask_worn_incorrect": "mask_weared_incorrect",
    "mask_worn_incorrectly": "mask_weared_incorrect",
    "mask_weared_incorrectly": "mask_weared_incorrect",
    "incorrect_mask": "mask_weared_incorrect",
    "improper_mask": "mask_weared_incorrect",
}


def plain_name(name: str) -> str:
    """Return a class name without what people spell differently: case, spaces, hyphens and underscores.

    >>> plain_name(" Mask-Worn_incorrectly")
    'maskwornincorrectly'
    """
    return re.sub(r"[\s_-]+", "", name.lower())


_MEANINGS: Final[dict[str, ClassName]] = {
    plain_name(name): known for name, known in (*zip(CLASS_NAMES, CLASS_NAMES, strict=True), *CLASS_ALIASES.items())
}


def meaning(name: str) -> ClassName | None:
    """Return which of the three classes a model's or a file's own name stands for, None where it is none of them.

    >>> meaning("No-Mask"), meaning("helmet")
    ('without_mask', None)
    """
    return _MEANINGS.get(plain_name(name))


def says_compliance(names: Sequence[str]) -> bool:
    """Whether faces of these classes can be counted as compliant or not: each is one of the three, and both are there.

    >>> says_compliance(["no_mask", "mask"]), says_compliance(["mask"]), says_compliance(["mask", "person"])
    (True, False, False)
    """
    meanings = {meaning(name) for name in names}
    return None not in meanings and "with_mask" in meanings and len(meanings) > 1


def sum_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sums of counts by class, in the order of the first."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def count_compliant(counts: Mapping[str, int]) -> int | None:
    """Return how many of the faces counted by class wear a mask properly, None where the classes say nothing of it.

    >>> count_compliant({"mask": 2, "no_mask": 1}), count_compliant({"person": 3})
    (2, None)
    """
    if not says_compliance(list(counts)):
        return None
    return sum(count for name, count in counts.items() if meaning(name) == "with_mask")


def compliance_of(counts: Mapping[str, int]) -> float | None:
    """Return the share of the faces counted by class that wear a mask properly; None of no face, or if nothing says so.

    >>> compliance_of({"mask": 1, "no_mask": 3}), compliance_of({"mask": 0, "no_mask": 0})
    (0.25, None)
    """
    compliant, faces = count_compliant(counts), sum(counts.values())
    return None if compliant is None or not faces else compliant / faces


#: BGR, as OpenCV draws: green, red, yellow.
CLASS_COLOURS: Final[tuple[tuple[int, int, int], ...]] = ((60, 180, 30), (40, 40, 225), (0, 205, 245))

#: Of classes that are none of the three.
OTHER_COLOURS: Final[tuple[tuple[int, int, int], ...]] = (
    (220, 120, 20), (200, 60, 180), (60, 140, 250), (190, 190, 20), (120, 120, 120), (140, 60, 90)
)  # fmt: skip


def colour_of(name: str, class_id: int) -> tuple[int, int, int]:
    """Return the BGR colour of a class by what its name means, else one of ``OTHER_COLOURS`` by its index.

    >>> colour_of("No Mask", 0) == CLASS_COLOURS[1], colour_of("dog", 16) == OTHER_COLOURS[4]
    (True, True)
    """
    known = meaning(name)
    return OTHER_COLOURS[class_id % len(OTHER_COLOURS)] if known is None else CLASS_COLOURS[CLASS_NAMES.index(known)]
