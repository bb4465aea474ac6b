"""Run every command of the interface as a user would, and write what they printed into ``docs/tour.md``.

Everything is made from ``examples/``, in a folder that is thrown away; the one web address is served from here::

    python tools/write_tour.py
"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tour.md"
#: Lines shown of one output, and characters of one line.
MOST_LINES, MOST_CHARACTERS = 22, 700
PORT = 8765

#: Heading, what to know, commands in order.
STEPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("A photo", "A table, and the picture with boxes.", ("maskdet detect examples/crew.jpg", "ls maskdet-out")),
    (
        "Folder, pattern, address, standard input",
        "Whatever it is, the results look alike.",
        (
            "maskdet detect examples --no-save",
            'maskdet detect "examples/a*.jpg" --csv -',
            f"maskdet detect http://127.0.0.1:{PORT}/crew.jpg --json -",
            "cat examples/astronaut.jpg | maskdet detect - --json -",
        ),
    ),
    (
        "A video",
        "A line a video; frames go to the files. With `--track` a person counts once.",
        (
            "maskdet detect clip.avi --save films --json frames.jsonl",
            "ls films && wc -l frames.jsonl",
            "maskdet detect clip.avi --vid-stride 3 --track --tracks people.jsonl --no-save && cat people.jsonl",
        ),
    ),
    (
        "Every output",
        "",
        (
            "maskdet detect examples --save-txt labels --save-voc voc --coco coco.json --save-crops faces --quiet",
            "find labels voc faces coco.json -type f | sort",
            "cat labels/astronaut.txt",
            "cat voc/astronaut.xml",
        ),
    ),
    (
        "For scripts",
        "Exit codes and alerts.",
        (
            "maskdet detect examples/crew.jpg --fail-on without_mask --quiet; echo exit code $?",
            "maskdet detect examples/crew.jpg --alert 'without_mask>=1' --no-save --quiet",
            "maskdet detect nowhere.jpg examples/astronaut.jpg --no-save; echo exit code $?",
        ),
    ),
    (
        "Tiles, for large pictures",
        "A picture of 48 small crews, 192 faces of about 18 px, seen whole and in tiles.",
        ("maskdet detect wall.jpg --no-save | tail -n 1", "maskdet detect wall.jpg --tile --no-save | tail -n 1"),
    ),
    (
        "Face crops",
        "",
        ("maskdet classify faces", "maskdet classify faces/without_mask --json -"),
    ),
    (
        "Both models",
        "",
        (
            "maskdet detect examples/crew.jpg --mode chain --no-save",
            "maskdet detect examples/astronaut.jpg --mode compare --json -",
            "maskdet compare examples",
        ),
    ),
    (
        "Annotations of your own",
        "Here the detector's own answers stand in for annotations.",
        (
            "mkdir mydata && cp -r voc mydata/annotations && cp -r examples mydata/images && ls mydata/*",
            "maskdet convert mydata yolo --val-fraction 0.5",
            "maskdet convert mydata crops --crops && ls crops crops/*",
            "maskdet data check yolo",
            "maskdet data stats yolo",
            "maskdet val data=yolo/data.yaml",
        ),
    ),
    (
        "Very many pictures",
        "In shards, to Parquet or JSON Lines; `--resume` goes on where a run was ended.",
        (
            "maskdet batch examples --out run --format jsonl",
            "find run -type f | sort && cat run/summary.json",
            "maskdet batch examples --out run --resume --format jsonl",
        ),
    ),
    ("The crop study", "", ("maskdet study --list",)),
    (
        "Speed",
        "Without `--no-yolo` beside ultralytics' own command.",
        ("maskdet benchmark --only cold --no-yolo --runs 1 --no-warm-up",),
    ),
    ("What is installed", "", ("maskdet info",)),
)


def main() -> None:
    """Run the steps and write the page."""
    with tempfile.TemporaryDirectory() as name, serve(ROOT / "examples"):
        home = Path(name)
        prepare(home)
        parts = [run_step(home, *step) for step in STEPS]
    text = (
        "# A tour: every command, run\n\n"
        "Made by `python tools/write_tour.py`, which runs these commands in an empty folder beside `examples/` and writes "
        "down what they print. Long outputs are cut.\n\n" + "\n".join(parts)
    )
    PAGE.write_text(text, encoding="utf-8")


def prepare(home: Path) -> None:
    """Put the examples there, a short video in which the picture moves, and a large picture."""
    (home / "examples").mkdir()
    for path in (ROOT / "examples").glob("*.jpg"):
        shutil.copy(path, home / "examples")
    crew = cv2.imread(str(home / "examples" / "crew.jpg"))
    assert crew is not None
    height, width = crew.shape[:2]
    writer = cv2.VideoWriter(str(home / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 15, (width, height))
    for shift in range(30):
        writer.write(cv2.copyMakeBorder(crew, 0, 0, 2 * shift, 0, cv2.BORDER_REPLICATE)[:, :width])
    writer.release()
    small = cv2.resize(crew, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    wall = cv2.vconcat([cv2.hconcat([small] * 6)] * 8)
    cv2.imwrite(str(home / "wall.jpg"), wall)


def run_step(home: Path, title: str, note: str, commands: tuple[str, ...]) -> str:
    """Run some commands; return their part of the page."""
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": tools, "COLUMNS": "160", "YOLO_OFFLINE": "1"}
    blocks = []
    for command in commands:
        print(command, file=sys.stderr)
        done = subprocess.run(
            ["bash", "-c", command], cwd=home, env=environment, capture_output=True, text=True, check=False
        )
        lines = [line.rstrip()[:MOST_CHARACTERS] for line in (done.stdout + done.stderr).splitlines()]
        lines = [line.replace(str(home), "…").replace(str(ROOT), "…") for line in lines]
        if len(lines) > MOST_LINES:
            lines = [*lines[:MOST_LINES], "…"]
        blocks.append(f"```bash\n{command}\n```\n\n```text\n" + "\n".join(lines) + "\n```\n")
    return "\n".join([f"## {title}\n", *([note + "\n"] if note else []), *blocks])


@contextmanager
def serve(folder: Path) -> Iterator[None]:
    """Serve a folder on this machine."""

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = functools.partial(Silent, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()


if __name__ == "__main__":
    main()
