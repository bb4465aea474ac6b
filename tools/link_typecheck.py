"""Link the mapped folders into ``build/typecheck/maskdet`` so that mypy sees them as one package."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "build" / "typecheck"


def link_folders() -> None:
    """Make one real folder of links: mypy follows links to files and folders, not editable-install hooks."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        mapping: dict[str, str] = tomllib.load(file)["tool"]["setuptools"]["package-dir"]
    package = TARGET / "maskdet"
    package.mkdir(parents=True, exist_ok=True)
    for old in package.iterdir():
        old.unlink()
    for child in (ROOT / mapping["maskdet"]).iterdir():
        if child.name != "__pycache__":
            (package / child.name).symlink_to(child)
    for name, folder in mapping.items():
        if name.startswith("maskdet."):
            (package / name.removeprefix("maskdet.")).symlink_to(ROOT / folder)


if __name__ == "__main__":
    link_folders()
