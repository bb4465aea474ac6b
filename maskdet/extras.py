"""Optional packages: imported, or missed in one clear line; and nothing that they know leaves the machine.

onnxruntime's wheels report usage from 1.29 on, with an id that stays in the user's home; OpenVINO sends an event at its
import; ultralytics asks a name server, sends an event a run, and writes settings; matplotlib keeps a list of fonts.
What a library would keep in the user's home is not kept.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from maskdet.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path


def require(module: str, *, what: str, extra: str) -> Any:
    """Import an optional module, which then reports nothing to anybody; ``extra`` brings what ``what`` needs.

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        with quietly(module):
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A broken installed package must not be reported as a missing extra.
        if error.name is None or error.name.split(".")[0] != module.split(".", maxsplit=1)[0]:
            raise
        raise MissingExtraError(what, extra) from error


#: What libraries read from the environment, at the latest at their import; processes that we start inherit it.
SWITCHES: Final = {
    "ORT_DISABLE_TELEMETRY": "1",
    "YOLO_OFFLINE": "true",  # no events, no look for updates; weights that a command names are fetched all the same
    "YOLO_AUTOINSTALL": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    "NO_ALBUMENTATIONS_UPDATE": "1",  # which ultralytics imports where it is installed
}

#: ultralytics' settings that hand a run to somebody else, as they are where the user has no settings of their own.
_INTEGRATIONS: Final = ("sync", "clearml", "comet", "dvc", "mlflow", "raytune", "tensorboard", "wandb", "vscode_msg")

#: Libraries that draw with matplotlib.
_DRAW: Final = frozenset({"matplotlib", "supervision", "trackers", "ultralytics"})

#: Fonts that ultralytics would fetch for the plots of a training.
_FONTS: Final = ("Arial.ttf", "Arial.Unicode.ttf")


def switch_off() -> None:
    """Set what keeps libraries quiet, where the user has not set it otherwise; before any of them is imported."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)


@contextmanager
def quietly(module: str) -> Iterator[None]:
    """Let an optional package be imported inside: it reports nothing, and writes where all goes with the process.

    ultralytics' settings are the user's where there are some, and those that connect it to others are off elsewhere.
    Variables that name a folder (``YOLO_CONFIG_DIR``, ``MPLCONFIGDIR``) are obeyed.
    """
    library = module.partition(".")[0]
    if library in sys.modules:
        yield
        return
    if library == "openvino":
        # It does without where the package that sends is not installed, and knows no other switch.
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    if library in _DRAW and not (os.environ.get("MPLCONFIGDIR") or _has_fonts()):
        os.environ["MPLCONFIGDIR"] = str(_own_folder())
    if library != "ultralytics" or os.environ.get("YOLO_CONFIG_DIR"):
        yield
        return
    import logging

    folder = _own_folder()
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder / "torch"))  # which torch makes, and leaves, empty
    known = _bring_settings(folder)
    before = logging.root.manager.disable
    if not known:
        logging.disable(max(before, logging.INFO))  # it would tell, on standard output, of settings that it writes
    try:
        yield
    finally:
        logging.disable(before)
    if not known:
        from ultralytics.utils import SETTINGS

        SETTINGS.update({key: False for key in _INTEGRATIONS if key in SETTINGS})


def _own_folder() -> Path:
    """Make a folder that is removed when the process ends."""
    import atexit
    import shutil
    import tempfile
    from pathlib import Path

    folder, owner = tempfile.mkdtemp(prefix="maskdet-"), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return Path(folder)


def _has_fonts() -> bool:
    """Whether matplotlib has been used here before: its list of fonts takes a second to make."""
    from pathlib import Path

    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return any(folder.is_dir() for folder in (cache / "matplotlib", Path.home() / ".matplotlib"))
    except (OSError, RuntimeError):  # there is no home
        return False


def _bring_settings(folder: Path) -> bool:
    """Let ``folder`` be where ultralytics keeps its settings; return whether those of the user are there."""
    import importlib.util
    import shutil
    from pathlib import Path

    os.environ["YOLO_CONFIG_DIR"] = str(folder)
    target = folder / "Ultralytics"
    target.mkdir()
    plots = importlib.util.find_spec("matplotlib")
    if plots is not None and plots.origin is not None:
        ours = Path(plots.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        with suppress(OSError):  # it may be elsewhere; then ultralytics looks for one
            for font in _FONTS:
                shutil.copyfile(ours, target / font)
    try:
        places = {"win32": "AppData/Roaming", "darwin": "Library/Application Support"}
        base = Path.home() / places.get(sys.platform, ".config")
        if sys.platform.startswith("linux"):
            base = Path(os.environ.get("XDG_CONFIG_HOME") or base)
        shutil.copyfile(base / "Ultralytics" / "settings.json", target / "settings.json")
    except (OSError, RuntimeError):  # there are none, or no home
        return False
    return True
