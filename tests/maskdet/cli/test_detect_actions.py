"""``maskdet detect``: tiles, tracks and alerts."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from maskdet.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert isinstance(stop.value.code, int)
    return stop.value.code, captured.out, captured.err


def test_an_alert_is_a_line_on_standard_error(capsys: pytest.CaptureFixture[str], astronaut: Path) -> None:
    rules = ["--alert", "without_mask>=1", "--alert", "faces>1"]
    code, out, err = run(capsys, "detect", astronaut, "--json", "-", *rules)
    assert code == 0
    assert json.loads(out)["counts"]["without_mask"] == 1
    assert err == f"alert: without_mask>=1 (without_mask is 1) in {astronaut}\n"


def test_an_alert_runs_a_command(capsys: pytest.CaptureFixture[str], astronaut: Path, tmp_path: Path) -> None:
    code = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    command = shlex.join([sys.executable, "-c", code, str(tmp_path / "got")])
    done = run(capsys, "detect", astronaut, "--quiet", "--alert", "compliance<0.5", "--alert-run", command)
    assert done == (0, "", "")
    got = json.loads((tmp_path / "got").read_text())
    assert (got["schema"], got["alert"]) == ("maskdet/1", {"rule": "compliance<0.5", "value": 0.0})


def test_a_post_that_fails_costs_a_line_only(
    capsys: pytest.CaptureFixture[str], astronaut: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    url = "http://127.0.0.1:9/key"
    code, _, err = run(capsys, "detect", astronaut, "--quiet", "--alert", "faces>0", "--alert-post", url)
    assert code == 0
    assert err.startswith("alert: 127.0.0.1 was not reached (")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--alert", "faces"], "--alert: 'faces' is not a rule"),
        (["--alert", "faces>0", "--alert-run", "no-such-program"], "--alert-run: no program 'no-such-program'"),
        (["--alert", "faces>0", "--alert-post", "file:///x"], "--alert-post: 'file:///x' is not an http"),
        (["--alert-run", "true"], "need a rule"),
        (["--alert", "faces>0", "--alert-cooldown", "-1"], "--alert-cooldown"),
        (["--tile-size", "8"], "--tile-size"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], astronaut: Path, arguments: list[str], reason: str) -> None:
    code, out, err = run(capsys, "detect", astronaut, *arguments)
    assert (code, out) == (2, "")
    assert reason in err


def test_tiles(capsys: pytest.CaptureFixture[str], astronaut: Path) -> None:
    _, plain, _ = run(capsys, "detect", astronaut, "--csv", "-")
    _, tiled, _ = run(capsys, "detect", astronaut, "--csv", "-", "--tile")
    # 512 pixels are no larger than one tile of the input's size, 640.
    assert tiled == plain
    _, small, _ = run(capsys, "detect", astronaut, "--json", "-", "--tile-size", "320")
    assert json.loads(small)["counts"]["without_mask"] == 1


def test_tracking_needs_its_extra(
    capsys: pytest.CaptureFixture[str], astronaut: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trackers", None)
    code, out, err = run(capsys, "detect", astronaut, "--track")
    assert (code, out) == (2, "")
    assert err == "error: tracking needs more packages: pip install 'maskdet[track]'\n"


def test_a_photo_is_nobody_tracked(capsys: pytest.CaptureFixture[str], astronaut: Path, tmp_path: Path) -> None:
    pytest.importorskip("trackers")
    code, out, _ = run(capsys, "detect", astronaut, "--no-save", "--track", "--tracks", tmp_path / "o" / "t.jsonl")
    assert code == 0
    assert out.endswith("0 people tracked\n")
    assert (tmp_path / "o" / "t.jsonl").read_text() == ""
