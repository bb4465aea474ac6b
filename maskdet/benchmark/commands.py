"""The commands that are compared, each as a person types it and as it is started here."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maskdet.benchmark.runs import Usage, measure

#: What the scripts ``maskdet`` and ``yolo`` do; through our own interpreter, so that both belong to this environment.
_MASKDET: Final = "from maskdet.cli import main; main()"
_YOLO: Final = "from ultralytics.cfg import entrypoint; entrypoint()"

#: ultralytics leaves torch one thread; this is the least a person must write to get all of them.
_YOLO_ALL_CORES: Final = f"import sys, ultralytics, torch; torch.set_num_threads(int(sys.argv.pop(1))); {_YOLO}"

NOT_INSTALLED: Final = "not installed"


@dataclass(frozen=True, slots=True)
class Command:
    """A command as a person types it, without the folders of this machine, and the program with its arguments."""

    shown: str
    argv: tuple[str, ...]

    def run(self, folder: Path) -> Usage:
        """Run it in ``folder``, in a process of its own, and measure it."""
        return measure(self.argv, folder, shown=self.shown)

    def figures(self, folder: Path) -> dict[str, float]:
        """Return the figures of a run."""
        return self.run(folder).figures()


def maskdet(*words: str | Path) -> Command:
    """Return ``maskdet`` with these arguments."""
    return _command("maskdet", (_MASKDET,), words)


def yolo(*words: str | Path) -> Command:
    """Return ``yolo`` with these arguments, as it ships."""
    return _command("yolo", (_YOLO,), words)


def yolo_all_cores(cores: int, *words: str | Path) -> Command:
    """Return ``yolo`` with these arguments, torch set to ``cores`` threads."""
    return _command(f"(torch.set_num_threads({cores})) yolo", (_YOLO_ALL_CORES, str(cores)), words)


def module(name: str, *words: str | Path) -> Command:
    """Return ``python -m name`` with these arguments."""
    given = [str(word) for word in words]
    return Command(shlex.join(["python", "-m", name, *map(_short, given)]), (sys.executable, "-P", "-m", name, *given))


def yolo_is_there() -> bool:
    """Whether ultralytics is installed; it is not imported."""
    return importlib.util.find_spec("ultralytics") is not None


def _command(tool: str, code: Sequence[str], words: Sequence[str | Path]) -> Command:
    given = [str(word) for word in words]
    # -P: else the folder it runs in would be searched for modules first.
    return Command(" ".join([tool, shlex.join(map(_short, given))]), (sys.executable, "-P", "-c", *code, *given))


def _short(word: str) -> str:
    """Return a word without the folders of this machine: ``model=/a/b.onnx`` becomes ``model=b.onnx``."""
    key, sign, value = word.rpartition("=")
    return f"{key}{sign}{Path(value).name}" if Path(value).is_absolute() else word
