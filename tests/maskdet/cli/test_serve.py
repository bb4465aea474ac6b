from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from maskdet.cli import cli

pytest.importorskip("fastapi")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Keep what would be served, and with what settings."""
    calls: list[tuple[Any, Any]] = []
    monkeypatch.setattr(
        "maskdet.serve.process.run_server", lambda app, settings, *_, **__: calls.append((app, settings))
    )
    monkeypatch.delenv("MASKDET_API_KEY", raising=False)
    return calls


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["serve", *words])


def test_what_is_typed_is_what_is_served(started: list[tuple[Any, Any]], tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("one\n\n two \n")
    done = run(
        "--host", "0.0.0.0", "--port", "80", "--api-key-file", str(keys), "--max-body",
        "5MB", "--rate", "60/min", "--allow-origin", "https://a.example", "--allow-host", "b.example", "--dialect",
        "deepstack,compreface", "--metrics", "--no-page",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    ((_, settings),) = started
    assert (settings.host, settings.port, settings.keys) == ("0.0.0.0", 80, ("one", "two"))
    assert (settings.max_body, settings.rate) == (5_000_000, 1.0)
    assert (settings.origins, settings.hosts) == (("https://a.example",), ("b.example",))
    assert settings.dialects == ("deepstack", "compreface")
    assert (settings.metrics, settings.page) == (True, False)


def test_the_key_of_the_environment(started: list[tuple[Any, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKDET_API_KEY", "secret")
    assert run("--host", "::").exit_code == 0
    assert started[0][1].keys == ("secret",)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--host", "0.0.0.0"], "--host 0.0.0.0 lets other machines in: give a key"),
        (["--api-key-file", "nowhere"], "nowhere: cannot be read (No such file or directory)"),
        (["--api-key-file", "/dev/null"], "/dev/null: holds no key"),
        (["--max-body", "much"], "'much' is no size"),
        (["--rate", "fast"], "'fast' is no rate"),
        (["--dialect", "french"], "'french' is none of"),
        (["--stream", "door"], "write NAME=SOURCE"),
        (["--stream", "a=0", "--stream", "a=1"], "--stream names a twice"),
        (["--alert", "faces>1"], "--alert looks at cameras"),
        (["--weights", "nowhere.onnx"], "no such file"),
        (["--imgsz", "64", "--close-ups"], "close-ups of 160 px need a larger input than 64 px"),
    ],
)
def test_what_cannot_be_served_is_told(started: list[tuple[Any, Any]], words: list[str], line: str) -> None:
    done = run(*words)
    assert done.exit_code != 0
    assert line in done.output + str(done.exception)
    assert started == []
