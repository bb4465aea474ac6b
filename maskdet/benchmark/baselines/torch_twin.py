"""The detector's weights as a torch checkpoint, which is what ``yolo predict`` is usually given."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from maskdet.benchmark.baselines import commands
from maskdet.benchmark.measuring.pictures import write_photos
from maskdet.benchmark.measuring.process import run_to_its_end
from maskdet.benchmark.measuring.section import Settings

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

    Yields:
        The settings with ``yolo_weights``; as they were where ``yolo`` does not run, or the detector's file does not
        say which network it holds: ``yolo predict`` then runs that file.

    Raises:
        WeightsError: the detector's file cannot be used.
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
