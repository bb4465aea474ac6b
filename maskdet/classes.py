"""The three classes, in the one order used everywhere, and their colours."""

from __future__ import annotations

from typing import Final, Literal

ClassName = Literal["with_mask", "without_mask", "mask_weared_incorrect"]

#: Index = class id. The last name is the data set's own spelling.
CLASS_NAMES: Final[tuple[ClassName, ...]] = ("with_mask", "without_mask", "mask_weared_incorrect")

#: Spellings met in other data sets, each with the class it means.
CLASS_ALIASES: Final[dict[str, ClassName]] = {
    "mask": "with_mask",
    "masked": "with_mask",
    "face_mask": "with_mask",
    "with-mask": "with_mask",
    "withmask": "with_mask",
    "with mask": "with_mask",
    "no_mask": "without_mask",
    "no-mask": "without_mask",
    "nomask": "without_mask",
    "unmasked": "without_mask",
    "without-mask": "without_mask",
    "withoutmask": "without_mask",
    "without mask": "without_mask",
    "mask_worn_incorrect": "mask_weared_incorrect",
    "mask_worn_incorrectly": "mask_weared_incorrect",
    "mask_weared_incorrectly": "mask_weared_incorrect",
    "mask weared incorrect": "mask_weared_incorrect",
    "incorrect_mask": "mask_weared_incorrect",
    "incorrect-mask": "mask_weared_incorrect",
    "improper_mask": "mask_weared_incorrect",
}

#: BGR, as OpenCV draws: green, red, yellow.
CLASS_COLOURS: Final[tuple[tuple[int, int, int], ...]] = ((60, 180, 30), (40, 40, 225), (0, 205, 245))
