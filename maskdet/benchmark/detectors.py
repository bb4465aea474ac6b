"""The detector that is measured, and what can run it here, in which arithmetic: the one place that lists them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from maskdet.benchmark import commands
from maskdet.benchmark.inputs import write_photos
from maskdet.benchmark.runs import run_to_its_end
from maskdet.benchmark.section import Settings
from maskdet.detector.inference.runtime import Runtime, load_runtime
from maskdet.sessions.devices import Precision
from maskdet.sessions.processor import has_bf16


@dataclass(frozen=True, slots=True)
class RuntimeChoice:
    """A runtime at hand: its name, the options of ``maskdet detect``, its precision, and the INT8 twin that it runs."""

    name: str
    options: tuple[str, ...] = ()
    precision: Precision = "fp32"
    int8: Path | None = None

    @property
    def label(self) -> str:
        """For people: the runtime, and its arithmetic where that is not float32.

        >>> RuntimeChoice("openvino", precision="bf16").label
        'openvino, bf16'
        """
        arithmetic = "int8" if self.int8 else self.precision
        return self.name if arithmetic == "fp32" else f"{self.name}, {arithmetic}"


def runtimes_for(weights: Path) -> list[RuntimeChoice]:
    """Return the runtimes at hand for a model file, the default one first; then each with the file's INT8 twin.

    The twin of ``NAME.onnx`` is ``NAME-int8.onnx`` beside it, where ``maskdet export --int8`` puts it.
    """
    if weights.suffix == ".pt":
        return [RuntimeChoice("torch")]
    names = [] if weights.is_dir() else ["onnx"]
    if weights.is_dir() or importlib.util.find_spec("openvino") is not None:
        names.append("openvino")
    choices = [RuntimeChoice(name, ("--runtime", name)) for name in names]
    twin = weights.with_name(f"{weights.stem}-int8.onnx")
    if weights.suffix == ".onnx" and twin.is_file():
        choices += [replace(choice, int8=twin) for choice in choices]
    return choices


def with_bfloat16(choices: Sequence[RuntimeChoice]) -> list[RuntimeChoice]:
    """Return the choices and, where the processor multiplies bfloat16, OpenVINO's of float32 in that too."""
    found = list(choices)
    if has_bf16():
        more = ("--precision", "bf16")
        found += [
            replace(choice, options=choice.options + more, precision="bf16")
            for choice in choices
            if choice.name == "openvino" and choice.int8 is None
        ]
    return found


def load(name: str, weights: Path, threads: int = 0, precision: Precision = "fp32") -> Runtime:
    """Load a model file in the runtime of this name, on the CPU; ``threads`` as in ``MaskDetector``."""
    return load_runtime(weights, name=name, runtime=name, threads=threads, precision=precision)


@dataclass(frozen=True, slots=True)
class DetectorFile:
    """A model file that was tried, the longer side of its input in pixels, and what ``yolo predict`` runs."""

    name: str
    path: Path
    imgsz: int
    yolo_path: Path

    @property
    def options(self) -> tuple[str, ...]:
        """The options of ``maskdet detect`` that choose it."""
        return "--weights", str(self.path), "--imgsz", str(self.imgsz)

    def yolo_words(self, source: Path, folder: Path, *more: str) -> tuple[str, ...]:
        """Return the arguments of ``yolo`` that do the same with ``source``, what it writes going to ``folder``."""
        words = ("detect", "predict", f"model={self.yolo_path}", f"source={source}", f"imgsz={self.imgsz}")
        return *words, "device=cpu", f"project={folder}", "name=yolo", "exist_ok=True", *more


def check_rival(weights: str) -> None:
    """Load what ``yolo`` is to run once, as ``maskdet`` loads it: ``yolo`` itself would run whatever a file says."""
    from maskdet.detector.inference.runtime import load_runtime

    load_runtime(Path(weights), name=Path(weights).stem)


def find_detector(settings: Settings) -> DetectorFile:
    """Load the detector once, so that a wrong file is said before anything is measured."""
    from maskdet.detector.inference.model import MaskDetector
    from maskdet.errors import WeightsError
    from maskdet.weights import resolve_weights

    _, path = resolve_weights(settings.weights)
    info = MaskDetector(settings.weights, imgsz=settings.imgsz).info
    other = path if settings.yolo_weights is None else Path(settings.yolo_weights)
    if not other.exists():
        raise WeightsError(other, "no such file")
    return DetectorFile(info.name, path.resolve(), info.imgsz, other.resolve())


#: In a process of its own: torch in ours would share the processor with the network that is measured alone. What the
#: normalisations are measured on makes no difference to the answers, only to a training.
_WRITE: Final = (
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(2)); "
    "from pathlib import Path; from maskdet.detector.training.unfuse import unfuse; "
    "unfuse(Path(sys.argv[1]), [Path(photo) for photo in sys.argv[3:]], Path(sys.argv[2]))"
)


@contextmanager
def with_torch_twin(settings: Settings) -> Iterator[Settings]:
    """Give ``yolo`` the same weights in torch, in a temporary file, where nothing else was named.

    Where ``yolo`` does not run, or the file does not say which network it holds, the settings stay: it then runs that
    file.
    """
    from maskdet.weights import resolve_weights

    _, source = resolve_weights(settings.weights)
    wanted = settings.yolo and settings.yolo_weights is None and source.suffix == ".onnx"
    if not (wanted and commands.yolo_is_there()):
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="maskdet-benchmark-") as name:
        folder = Path(name).resolve()
        target = folder / f"{source.stem}.pt"
        photos = write_photos(folder / "photos", 2)
        argv = [sys.executable, "-P", "-c", _WRITE, str(source.resolve()), str(target), *map(str, photos)]
        code = run_to_its_end(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        written = code == 0 and target.is_file()
        yield replace(settings, yolo_weights=str(target)) if written else settings
