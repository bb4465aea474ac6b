"""Training: ultralytics' trainer under maskdet's recipe, with ``key=value`` arguments as in ``yolo``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from maskdet.detector.training.arguments import check_known, check_values, choose_device, read_arguments_file
from maskdet.errors import MaskdetError, WeightsError
from maskdet.extras import require
from maskdet.sessions.processor import usable_cores
from maskdet.weights import resolve_weights, shipped_models

if TYPE_CHECKING:
    from maskdet.detector.training.data import TrainingData
    from maskdet.detector.training.trainer import TrainOptions


#: By which the folder of a run is known.
RUN_FILES = ("args.yaml", "maskdet.yaml")

RECIPE = Path(__file__).with_name("recipe.yaml")


def read_recipe() -> dict[str, Any]:
    """Return the defaults of ``recipe.yaml``."""
    recipe: dict[str, Any] = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    return recipe


def train(arguments: Mapping[str, Any]) -> Path:
    """Train a detector.

    Args:
        arguments: ultralytics' training arguments, and those of ``TrainOptions``; what is missing comes from the
            recipe, then from ultralytics. ``model`` may also be a shipped detector's name, or an ONNX file that
            ``maskdet export`` wrote.

    Returns:
        The run's folder; its ``weights`` hold ``best.pt`` and ``last.pt``.

    Raises:
        MissingExtraError: the ``train`` extra is not installed.
        MaskdetError: a data set, weights or argument that ultralytics refuses.
        WeightsError: an ONNX file that cannot be trained on.
    """
    require("ultralytics", what="maskdet train", extra="train")
    from ultralytics import YOLO

    from maskdet.detector.inference.runtime.ultralytics_bridge import safe_loading, talk_on_stderr
    from maskdet.detector.training.seen import seen_before
    from maskdet.detector.training.trainer import MaskTrainer
    from maskdet.detector.training.unfuse import unfuse

    settings, options = _settle(arguments)
    trusted = _check_starts(settings)
    weights, resume = settings.pop("model"), settings.get("resume")
    fused = None if resume else _exported(str(weights))
    start = fused or Path(str(weights))
    started: list[bool] = []
    with ExitStack() as stack:
        stack.enter_context(talk_on_stderr())
        stack.enter_context(_errors_in_a_line(started))
        stack.enter_context(safe_loading(trusted))
        read = None if resume else _read_data(settings)
        if fused is not None:
            assert read is not None
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maskdet-")))
            photos = [photo.picture.path for photo in read.photos["train"]]
            weights = unfuse(fused, photos, folder / f"{fused.stem}.pt")
        model = YOLO(weights, task="detect")
        if resume and (model.ckpt.get("epoch", -1) < 0 or model.ckpt.get("optimizer") is None):
            raise MaskdetError(f"{weights}: its training has ended: nothing to resume; model= alone trains on")
        if resume:
            settings |= _resumed(Path(str(weights)), model.ckpt.get("train_args"), settings)
            read = _read_data(settings)
            settings = {key: value for key, value in settings.items() if key not in {"split", "single_cls"}}
        read = replace(read, seen_before=seen_before(start)) if read else None
        model.add_callback("on_train_start", lambda _: started.append(True))
        model.train(trainer=partial(MaskTrainer, options=options, read=read), **settings)
    return Path(model.trainer.save_dir)


def _settle(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], TrainOptions]:
    """Return the arguments for ultralytics, with ``model`` and ``trust_weights``, and ours; the recipe fills gaps.

    Raises:
        MaskdetError: an argument is unknown, missing or out of range, or the run would write over its inputs.
        DeviceError: ``device=`` is not in this machine.
    """
    from ultralytics.cfg import DEFAULT_CFG_DICT, get_cfg, get_save_dir

    from maskdet.detector.training.train import check_run_folder
    from maskdet.detector.training.trainer import TrainOptions

    own_keys = {field.name for field in fields(TrainOptions)}
    trust = {key: arguments[key] for key in ("trust_weights",) if key in arguments}
    asked = {key: value for key, value in arguments.items() if key not in {"cfg", *trust}}
    if arguments.get("cfg"):
        asked = {**read_arguments_file(arguments["cfg"]), **asked}
    check_known(asked, {*DEFAULT_CFG_DICT, *own_keys})
    settings = {**read_recipe(), **asked}
    resume = settings.get("resume")
    if not resume:
        # ultralytics would count the machine's cores, of which a container has a part.
        settings.setdefault("workers", min(DEFAULT_CFG_DICT["workers"], usable_cores()))
    if not resume or "device" in asked:
        settings["device"] = choose_device(settings.get("device"))
    if settings.get("device") != "cpu":
        # The low-resolution start saves hours on a CPU and minutes on a GPU: there it is only done when asked for.
        settings = {key: value for key, value in settings.items() if key in asked or not key.startswith("early_")}
    options = TrainOptions(**{name: settings.pop(name) for name in own_keys & settings.keys()})
    check_values(settings)
    if resume:
        # A resumed run keeps the arguments it was started with; only these may still be changed.
        settings = {key: value for key, value in settings.items() if key in asked}
        settings |= {"resume": True, "model": asked.get("model") or (resume if isinstance(resume, str) else None)}
        if not settings["model"]:
            raise MaskdetError("resume=True needs the checkpoint: model=runs/…/weights/last.pt")
    elif not settings.get("data"):
        raise MaskdetError("which data? give data=…/data.yaml, as written by `maskdet convert`")
    if not isinstance(settings["model"], str | Path):
        raise MaskdetError("which model? give model=yolov8n.pt, a .pt of your own, or a shipped model's name")
    with _errors_in_a_line():
        found = get_cfg(DEFAULT_CFG_DICT, {**settings, "task": "detect", "mode": "train"})
        check_run_folder({**settings, "cfg": arguments.get("cfg")}, Path(get_save_dir(found)))
    return settings | trust, options


def _read_data(settings: Mapping[str, Any]) -> TrainingData:
    """Read the data set that arguments name; see ``read_training_data``."""
    from maskdet.detector.training.data import read_training_data

    return read_training_data(
        settings["data"],
        validated_on=settings.get("split", "val"),
        single_class=bool(settings.get("single_cls")),
    )


def _resumed(checkpoint: Path, kept: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what data a run goes on with, as its checkpoint names it, once that lies in the folder of a run.

    What a checkpoint says of its folder is not followed: it may be anybody's, and what lies there would be replaced.

    Raises:
        MaskdetError: it names no data, or does not lie in the folder of its run.
    """
    kept = kept if isinstance(kept, dict) else {}
    data = settings.get("data") or kept.get("data")
    if not isinstance(data, str | Path):
        raise MaskdetError(f"{checkpoint}: names no data set to go on with: give data=…/data.yaml")
    folder = checkpoint.absolute().parent.parent
    if not all((folder / name).is_file() for name in RUN_FILES):
        raise MaskdetError(
            f"{checkpoint}: lies outside the folder of its run (runs/…/weights/last.pt): put it back there"
        )
    split = kept.get("split")
    return {
        "data": str(data),
        "split": split if isinstance(split, str) else "val",
        "single_cls": bool(kept.get("single_cls")),
    }


@contextmanager
def _errors_in_a_line(started: Sequence[bool] = ()) -> Iterator[None]:
    """Turn what ultralytics raises of arguments, networks and data into one line; later, only what files it misses."""
    try:
        yield
    except (FileNotFoundError, ConnectionError) as error:
        raise MaskdetError(_one_line(error)) from error
    except (SyntaxError, ValueError, TypeError, LookupError, NotImplementedError, AssertionError) as error:
        if any(started):
            raise
        raise MaskdetError(_one_line(error)) from error
    except RuntimeError as error:
        # ultralytics wraps whatever happens to a data set this way; other runtime errors are torch's own.
        if isinstance(error.__cause__, MaskdetError):
            raise error.__cause__ from None
        raise


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).replace("❌ ", "").split()) or type(error).__name__


def _check_starts(settings: dict[str, Any]) -> bool:
    """Refuse files that cannot be trained from before ultralytics looks at them; what is not there it may fetch.

    Args:
        settings: the arguments; ``trust_weights`` is taken out.

    Returns:
        Whether checkpoints are trusted.

    Raises:
        MaskdetError: ``trust_weights`` is neither True nor False.
        WeightsError: a checkpoint that cannot be read, or another kind of file.
    """
    from maskdet.detector.inference.runtime.checkpoint import read_checkpoint

    trusted = settings.pop("trust_weights", False)
    if not isinstance(trusted, bool):
        raise MaskdetError(f"trust_weights={trusted}: expected True or False")
    for value in (settings.get(key) for key in ("model", "pretrained", "resume")):
        path = Path(str(value))
        suffix = path.suffix.lower()
        if isinstance(value, bool) or value is None or value in shipped_models():
            continue
        if suffix == ".pt" and path.is_file():
            read_checkpoint(path, trusted=trusted)
        elif suffix not in {"", ".pt", ".onnx", ".yaml", ".yml"}:
            kinds = "a .pt checkpoint, an .onnx that maskdet export wrote, or a .yaml"
            raise WeightsError(path, f"cannot be trained from: expected {kinds}")
        elif suffix == ".onnx" and not path.is_file():
            raise WeightsError(path, "no such file")
    return trusted


def _exported(weights: str) -> Path | None:
    """Return the ONNX file that ``model=`` names, itself or as a shipped model; None for anything else."""
    if weights in shipped_models():
        return resolve_weights(weights)[1]
    return Path(weights) if weights.endswith(".onnx") else None


#: Arguments that name a file or folder which is read.
_INPUTS: Final = ("model", "pretrained", "data", "cfg")


def check_run_folder(settings: Mapping[str, Any], folder: Path) -> None:
    """Refuse to train into a folder that holds an input of the training, or that no training made.

    Args:
        settings: the arguments; without ``exist_ok``, or with ``resume``, nothing is written over.
        folder: where the run will be written.

    Raises:
        MaskdetError: training would write over what it did not write itself, or over what it reads.
    """
    if not settings.get("exist_ok") or settings.get("resume") or not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise MaskdetError(f"{folder}: is not a folder: choose another name=")
    whole = Path(os.path.realpath(folder))
    for key in _INPUTS:
        value = settings.get(key)
        if isinstance(value, str | Path) and Path(os.path.realpath(value)).is_relative_to(whole):
            raise MaskdetError(f"{key}={value} lies in {folder}, which exist_ok=True writes over: choose another name=")
    if any(folder.iterdir()) and not (folder / "args.yaml").is_file():
        raise MaskdetError(f"{folder}: exist_ok=True writes over earlier trainings only: choose another name=")
