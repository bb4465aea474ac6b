"""What ``maskdet export`` says of a file once it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from maskdet.cli import cli
from maskdet.detector.export.to_onnx import Exported, Parity


@pytest.mark.parametrize(("rewritten", "said"), [(0, True), (11, False)])
def test_a_graph_that_is_no_faster_than_it_came_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rewritten: int, said: bool
) -> None:
    target = tmp_path / "best.onnx"
    target.write_bytes(b"weights")
    monkeypatch.setattr("maskdet.detector.export.to_onnx.export", lambda _: Exported(target, Parity(0, 0), rewritten))
    done = CliRunner().invoke(cli, ["export", "model=best.pt"], standalone_mode=False)
    assert (done.return_value, done.stdout) == (0, f"{target}  (0.0 MB)\n")
    assert ("no part of it is one that maskdet rewrites" in done.stderr) is said
