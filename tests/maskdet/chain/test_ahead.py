from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from maskdet.chain.ahead import LoadedAhead, load_ahead
from maskdet.errors import WeightsError


def test_it_is_loaded_once_and_has_its_name_before(tiny_classifier: Path) -> None:
    ahead = load_ahead(str(tiny_classifier))
    assert ahead.name == "tiny"
    assert ahead() is ahead()
    assert ahead().info.name == ahead.name
    other: LoadedAhead = pickle.loads(pickle.dumps(ahead))
    assert (other.name, other().spec.side) == ("tiny", 8)


def test_what_goes_wrong_is_raised_where_it_is_asked_for(tmp_path: Path) -> None:
    ahead = load_ahead(str(tmp_path / "gone.onnx"))
    for _ in range(2):
        with pytest.raises(WeightsError, match="no such file"):
            ahead()
