"""What ``docs/batch`` says to type and to copy works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from maskdet.cli import cli

ROOT: Final = Path(__file__).resolve().parents[3]
PAGES: Final = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "batch").glob("*.md")}


def blocks(language: str) -> list[str]:
    return [
        block
        for name in sorted(PAGES)
        for block in re.findall(rf"^```{language}\n(.*?)^```", PAGES[name], re.MULTILINE | re.DOTALL)
    ]


def test_snippets_run(maskdet: Callable[..., Any], photos: Path, tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="DuckDB is not installed: pip install duckdb")
    pytest.importorskip("pandas", reason="pandas is not installed: pip install pandas")
    (photos / "broken.jpg").write_bytes(b"no picture")
    assert maskdet("batch", photos, "--out", tmp_path / "run", "--shard-size", 5)[0] == 2
    snippets = blocks("python")
    assert len(snippets) >= 6
    # One process: each would load the libraries anew.
    text = "\n".join(snippets)
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "not a picture that can be read, but a text" in done.stdout
    assert "faces below 20 pixels" in done.stdout
    assert (tmp_path / "doubtful.parquet").is_file()


def test_commands_have_these_options() -> None:
    text = "\n".join([*blocks("bash"), *re.findall(r"`(maskdet batch [^`\n]+)`", "\n".join(PAGES.values()))])
    calls = re.findall(r"^.*?(maskdet batch .*)$", text, re.MULTILINE)
    assert len(calls) >= 8
    batch = cli.get_command(None, "batch")  # type: ignore[arg-type]
    assert batch is not None
    for call in calls:
        words = shlex.split(call, comments=True)[2:]
        batch.make_context("batch", [word for word in words if word != "…"])


def test_files_to_copy_are_what_ray_reads() -> None:
    launcher, job = (yaml.safe_load(block) for block in blocks("yaml"))
    assert launcher["head_node_type"] in launcher["available_node_types"]
    starts = [*launcher["head_start_ray_commands"], *launcher["worker_start_ray_commands"]]
    assert all("RAY_USAGE_STATS_ENABLED=0" in line for line in starts if "ray start" in line)
    assert (job["kind"], job["apiVersion"]) == ("RayJob", "ray.io/v1")
    words = job["spec"]["entrypoint"].split()
    assert words[:2] == ["maskdet", "batch"]
    batch = cli.get_command(None, "batch")  # type: ignore[arg-type]
    assert batch is not None
    options = batch.make_context("batch", words[2:]).params
    assert (options["engine"], options["resume"], options["out"]) == ("ray", True, "s3://shop/run")
    pod = job["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]
    assert {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"} in pod["env"]


def test_links_lead_somewhere() -> None:
    for text in PAGES.values():
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / "docs" / "batch" / target).is_file(), target
