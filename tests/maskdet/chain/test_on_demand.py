from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from maskdet.chain.on_demand import OnDemand, on_demand
from maskdet.errors import WeightsError


def test_it_is_loaded_once_and_has_its_name_before(tiny_classifier: Path) -> None:
    later = on_demand(str(tiny_classifier))
    assert later.name == "tiny"
    assert later() is later()
    assert later().info.name == later.name
    other: OnDemand = pickle.loads(pickle.dumps(later))
    assert (other.name, other().spec.side) == ("tiny", 8)


def test_what_goes_wrong_is_raised_where_it_is_asked_for(tmp_path: Path) -> None:
    later = on_demand(str(tmp_path / "gone.onnx"))
    for _ in range(2):
        with pytest.raises(WeightsError, match="no such file"):
            later()
