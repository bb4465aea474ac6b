"""The Dockerfile and the compose file: their paths are there, and their steps make a server, in a folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import yaml

ROOT: Final = Path(__file__).resolve().parent.parent

#: Megabytes of the files of an image, and of those the base image's: python:3.13-slim has 120.
LIMIT, BASE = 600, 130

Step = tuple[str, str]


def steps(text: str) -> list[list[Step]]:
    """Return the steps of each stage of a Dockerfile as (instruction, arguments)."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    stages: list[list[Step]] = [[]]
    for line in re.sub(r"\\\n\s*", " ", lines).splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            if word == "FROM":
                stages.append([])
            stages[-1].append((word, rest.strip()))
    return stages[1:]


STAGES: Final = steps((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def copied() -> list[tuple[str, str]]:
    """Return (source, target) of everything that comes from the repository."""
    pairs = []
    for word, rest in STAGES[0]:
        if word == "COPY":
            *sources, target = shlex.split(rest)
            pairs += [(source, target) for source in sources]
    return pairs


def test_all_that_is_copied_is_there_and_let_through() -> None:
    sources = [source.rstrip("/") for source, _ in copied()]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_through == set(sources)


def test_the_image_runs_as_nobody_and_says_how_it_is() -> None:
    words = dict(STAGES[1])
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", words["USER"])
    assert json.loads(words["ENTRYPOINT"]) == ["maskdet"]
    assert "/healthz" in words["HEALTHCHECK"]
    assert words["COPY"].split() == ["--from=build", "/opt/maskdet", "/opt/maskdet"]


def test_compose_gives_it_no_right_that_it_does_not_need() -> None:
    service = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["maskdet"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "MASKDET_API_KEY" in service["environment"]
    assert service["command"][0] == "serve"
    assert service["command"][service["command"].index("--stream") + 1].startswith("camera=")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the steps of the first stage with folders of our own, and return what the image would get."""
    root = tmp_path_factory.mktemp("image")
    source, target = root / "src", root / "maskdet"
    source.mkdir()
    for name, place in copied():
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, source / place, ignore=ignore, dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / name, source / place)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    environment["PATH"] = f"{Path(sys.executable).resolve().parent}{os.pathsep}{environment['PATH']}"
    for word, rest in STAGES[0]:
        if word == "RUN":
            command = rest.replace("/opt/maskdet", str(target))
            done = subprocess.run(
                ["sh", "-c", command], cwd=source, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode and "No matching distribution" in done.stderr:
                pytest.skip("the packages are out of reach")
            assert done.returncode == 0, done.stderr[-2000:]
    return target


def test_the_image_is_small(built: Path) -> None:
    files = sum(path.lstat().st_size for path in built.rglob("*") if not path.is_dir())
    assert files / 1e6 + BASE <= LIMIT


def test_the_server_of_the_image_starts_is_well_and_stops(built: Path, tmp_path: Path) -> None:
    words = dict(STAGES[1])
    command = [str(built / "bin" / json.loads(words["ENTRYPOINT"])[0]), *json.loads(words["CMD"])]
    environment = {"PATH": f"{built / 'bin'}:/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    refused = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "give a key" in refused.stderr
    environment["MASKDET_API_KEY"] = "secret"
    with subprocess.Popen(
        [*command, "--port", "0"], env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        port = re.search(r":(\d+)", server.stderr.readline())
        assert port is not None
        check = json.loads(words["HEALTHCHECK"].partition("CMD ")[2])
        check = [word.replace(":8000/", f":{port[1]}/") for word in check]
        assert subprocess.run(check, env=environment, cwd=tmp_path, check=False).returncode == 0
        server.send_signal(signal.SIGTERM)
        server.stderr.read()
    assert server.returncode == 0
    assert list(tmp_path.iterdir()) == []  # nothing was written
