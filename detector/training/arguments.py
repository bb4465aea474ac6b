"""What ``maskdet train`` is asked for: words of ``key=value``, checked before anything is read, fetched or made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from maskdet.errors import MaskdetError
from maskdet.files.safe_yaml import YamlError, load_yaml, read_yaml
from maskdet.sessions.devices import check_training_device

#: A side beyond this takes more memory than any GPU has.
MAX_IMGSZ: Final = 8192


def parse_arguments(arguments: Sequence[str]) -> dict[str, Any]:
    """Parse ``key=value`` words; values are YAML scalars or lists.

    Raises:
        MaskdetError: a word without ``=``.

    >>> parse_arguments(["epochs=3", "device=cpu", "cos_lr=True", "scale=0.5"])
    {'epochs': 3, 'device': 'cpu', 'cos_lr': True, 'scale': 0.5}
    """
    parsed: dict[str, Any] = {}
    for at, word in enumerate(arguments):
        key, equals, value = word.partition("=")
        if not equals or not key.strip() or key.startswith("--"):
            raise MaskdetError(f"{word}: expected key=value, such as {_meant(word, *arguments[at + 1 : at + 2])}")
        try:
            parsed[key.strip()] = load_yaml(value) if value else None
        except YamlError:
            parsed[key.strip()] = value  # such as a Windows path, which is not YAML
    return parsed


def _meant(word: str, following: str = "VALUE") -> str:
    """Return the ``key=value`` that somebody meant with another word.

    >>> _meant("--data", "set/data.yaml"), _meant("best.pt"), _meant("fast")
    ('data=set/data.yaml', 'model=best.pt', 'epochs=100')
    """
    if word.startswith("--"):
        key, equals, value = word[2:].partition("=")
        return f"{key}={value if equals else following}"
    suffix = Path(word).suffix.lower()
    key = "data" if suffix in {".yaml", ".yml"} else "model" if suffix in {".pt", ".onnx"} else ""
    return f"{key}={word}" if key else "epochs=100"


def read_arguments_file(name: object) -> dict[str, Any]:
    """Read what ``cfg=`` names: a YAML file of arguments, such as a run's ``args.yaml``.

    Raises:
        MaskdetError: there is none, or it holds something else.
    """
    path = Path(str(name))
    try:
        found = read_yaml(path)
    except OSError as error:
        raise MaskdetError(f"cfg={path}: cannot be read: {error.strerror}") from error
    except YamlError as error:
        raise MaskdetError(f"cfg={path}: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise MaskdetError(f"cfg={path}: expected lines such as `epochs: 100`")
    return found


def check_known(settings: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse arguments that nobody knows.

    Raises:
        MaskdetError: one is unknown; with the name that was perhaps meant.
    """
    unknown = sorted(set(settings) - set(known))
    if not unknown:
        return
    close = get_close_matches(unknown[0], known, n=1)
    hint = f"did you mean {close[0]}=?" if close else "see https://docs.ultralytics.com/usage/cfg"
    raise MaskdetError(f"unknown argument {', '.join(unknown)}: {hint}")


def check_values(settings: Mapping[str, Any]) -> None:
    """Refuse numbers that ultralytics takes and then fails on, after minutes or in many lines.

    Raises:
        MaskdetError: one is out of range.
    """
    data = settings.get("data")
    if data is not None and not isinstance(data, str):
        raise MaskdetError(f"data={data}: expected one data.yaml")
    imgsz = settings.get("imgsz", 640)
    if isinstance(imgsz, bool) or not isinstance(imgsz, int) or not 32 <= imgsz <= MAX_IMGSZ:
        raise MaskdetError(f"imgsz={imgsz}: expected a whole number from 32 to {MAX_IMGSZ}")
    batch = settings.get("batch", 16)
    if isinstance(batch, bool) or not isinstance(batch, int | float):
        raise MaskdetError(f"batch={batch}: expected a whole number from 1 on")
    if not (batch == -1 or 0 < batch < 1 or (batch >= 1 and batch == int(batch))):
        raise MaskdetError(f"batch={batch}: expected a whole number from 1 on, or -1 for what a GPU holds")
    workers = settings.get("workers", 8)
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 0:
        raise MaskdetError(f"workers={workers}: expected a whole number from 0 on")
    if settings.get("split", "val") not in {"train", "val", "test"}:
        raise MaskdetError(f"split={settings['split']}: expected train, val or test")
    task = settings.get("task") or "detect"
    if task != "detect":
        raise MaskdetError(f"task={task}: maskdet trains detectors")


def choose_device(asked: object) -> str:
    """Return the device to train on, as ultralytics names it: what was asked for, else a GPU, else the processor.

    Raises:
        DeviceError: it is unknown, or not in this machine.
    """
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = torch.backends.mps.is_available()
    text = str("" if asked is None else asked).strip().lower()
    if text in {"", "none", "auto"}:
        return "0" if gpus else "mps" if mps else "cpu"
    return check_training_device(text, gpus=gpus, mps=mps)
