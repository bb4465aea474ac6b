from __future__ import annotations

import pytest

from maskdet.classes import CLASS_ALIASES, CLASS_NAMES
from maskdet.datasets.photos.photo import ClassMap
from maskdet.errors import DatasetError


def test_names_aliases_and_case() -> None:
    classes = ClassMap()
    assert [classes.resolve(name) for name in CLASS_NAMES] == [0, 1, 2]
    assert classes.resolve("WITH_MASK") == 0
    for alias, name in CLASS_ALIASES.items():
        assert classes.resolve(alias.upper()) == CLASS_NAMES.index(name)
    assert classes.resolve("helmet") is None


def test_the_users_mapping_comes_first() -> None:
    assert ClassMap({"mask": "without_mask"}).resolve("mask") == 1
    with pytest.raises(DatasetError, match="'masc' is no class"):
        ClassMap({"mask": "masc"})
