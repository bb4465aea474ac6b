"""From the class names in annotation files to class ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from maskdet.classes import CLASS_NAMES, meaning
from maskdet.errors import DatasetError

_IDS: dict[str, int] = {name: index for index, name in enumerate(CLASS_NAMES)}


class ClassMap:
    """Resolves class names: the user's mapping first, then what ``maskdet.classes.meaning`` knows.

    >>> ClassMap().resolve("Mask_Worn_Incorrect")
    2
    >>> ClassMap({"respirator": "with_mask"}).resolve("respirator")
    0
    >>> ClassMap().resolve("helmet") is None
    True
    """

    def __init__(self, extra: Mapping[str, str] = MappingProxyType({})) -> None:
        """Take the user's ``old name -> new name`` pairs.

        Raises:
            DatasetError: a new name is none of the three classes.
        """
        for old, new in extra.items():
            if new not in _IDS:
                raise DatasetError(f"--map {old}={new}", f"{new!r} is no class; choose from {', '.join(CLASS_NAMES)}")
        self._extra = {old: _IDS[new] for old, new in extra.items()}

    def resolve(self, name: str) -> int | None:
        """Return the class id of a name, None where nothing is known of it."""
        if name in self._extra:
            return self._extra[name]
        known = meaning(name)
        return None if known is None else _IDS[known]


def describe_classes(names: Sequence[str]) -> str:
    """Say in a line what becomes of a data set's classes: they are matched by name.

    >>> describe_classes(["no_mask", "with_mask"])
    'classes: no_mask (without_mask), with_mask'
    >>> describe_classes(["helmet"])
    'classes: helmet; none of with_mask, without_mask, mask_weared_incorrect, so there is no compliance to count'
    """
    ids = [ClassMap().resolve(name) for name in names]
    shown = [
        name if index is None or name == CLASS_NAMES[index] else f"{name} ({CLASS_NAMES[index]})"
        for name, index in zip(names, ids, strict=True)
    ]
    many = 10
    listed = ", ".join(shown[:many]) + (f" and {len(shown) - many} more" if len(shown) > many else "")
    none = f"; none of {', '.join(CLASS_NAMES)}, so there is no compliance to count"
    return f"classes: {listed}" + (none if set(ids) == {None} else "")
