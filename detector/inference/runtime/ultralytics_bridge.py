"""Where ultralytics' own loading is led through ``checkpoint``, the file beside; imports torch and ultralytics.

ultralytics unpickles a checkpoint with whatever it names, installs packages that it asks for, and evaluates text of its
description when it builds the network anew. Inside ``safe_loading`` it does none of these; outside it is as it was.
"""

from __future__ import annotations

import ast
import functools
import inspect
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

from maskdet.detector.inference.runtime.checkpoint import read_checkpoint
from maskdet.errors import MaskdetError

#: Whether checkpoints are trusted in this thread; None where ultralytics is used by others than maskdet.
_trusted: ContextVar[bool | None] = ContextVar("maskdet_trusts_checkpoints", default=None)


@contextmanager
def safe_loading(trusted: bool = False) -> Iterator[None]:
    """Let ultralytics, inside the block and in this thread, read checkpoints by ``read_checkpoint`` alone.

    Raises:
        MaskdetError: this ultralytics has other insides than those led round.
    """
    _lead_round()
    token = _trusted.set(trusted)
    try:
        yield
    finally:
        _trusted.reset(token)


def check_insides() -> None:
    """Make sure that this ultralytics loads and fuses a network when asked as we ask.

    Raises:
        MaskdetError: its functions take something else, which says nothing of any file.
    """
    from ultralytics import __version__
    from ultralytics.nn import tasks

    try:
        inspect.signature(tasks.load_checkpoint).bind("file.pt", device="cpu")
        inspect.signature(tasks.BaseModel.fuse).bind(None, verbose=False)
    except (AttributeError, TypeError) as error:
        raise MaskdetError(f"ultralytics {__version__} is another than maskdet knows ({error})") from error


def stay_safe() -> None:
    """Be in ``safe_loading`` from here on in this thread, where it is in none: a training's process a GPU."""
    if _trusted.get() is None:
        _lead_round()
        _trusted.set(False)


@functools.cache
def _lead_round() -> None:
    """Put our functions before ultralytics', once a process."""
    from ultralytics import __version__
    from ultralytics.nn import tasks
    from ultralytics.utils import patches, torch_utils

    places = ((tasks, "torch_safe_load"), (tasks, "parse_model"), (torch_utils, "torch_load"), (patches, "torch_load"))
    if missing := [name for module, name in places if not hasattr(module, name)]:
        reason = f"has no {missing[0]}, so that checkpoints could not be read safely: pip install -U ultralytics"
        raise MaskdetError(f"ultralytics {__version__} {reason}")
    tasks.torch_safe_load = _or_theirs(_safe_load, tasks.torch_safe_load)
    for module in (torch_utils, patches, tasks):
        module.torch_load = _or_theirs(_load, module.torch_load)
    theirs = tasks.parse_model

    def parse_model(described: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        if _trusted.get() is False:
            check_description(described)
        return theirs(described, *args, **kwargs)

    tasks.parse_model = parse_model


def _or_theirs(ours: Callable[..., Any], theirs: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(theirs)
    def choose(*args: Any, **kwargs: Any) -> Any:
        return (theirs if _trusted.get() is None else ours)(*args, **kwargs)

    return choose


def _load(file: str | Path, *_: Any, **__: Any) -> dict[str, Any]:
    return read_checkpoint(Path(file), trusted=_trusted.get() is True)


def _safe_load(weight: str | Path, *_: Any, **__: Any) -> tuple[dict[str, Any], str]:
    from ultralytics.utils.downloads import attempt_download_asset

    file = str(attempt_download_asset(weight))
    return _load(file), file


def check_description(described: Mapping[str, Any]) -> None:
    """Refuse a description of a network that names anything but layers: ultralytics evaluates and calls what it names.

    Args:
        described: as in ultralytics' model YAML, with ``backbone`` and ``head``.

    Raises:
        MaskdetError: it does.
    """
    activation = described.get("activation")
    if activation and not _is_plain_layer(str(activation)):
        raise MaskdetError(f"the network's description has activation {str(activation)[:80]!r}, which is no layer")
    rows = [*described.get("backbone", ()), *described.get("head", ())]
    for row in rows:
        name = str(row[2]) if isinstance(row, (list, tuple)) and len(row) == 4 else str(row)
        if not _is_layer(name):
            raise MaskdetError(f"the network's description names {name[:80]!r}, which is no layer")


def _is_layer(name: str) -> bool:
    import torch
    import torchvision
    from ultralytics.nn import tasks

    if name == "TorchVision":  # fetches its own weights
        return False
    for prefix, module in (("torch.nn.", torch.nn), ("nn.", torch.nn), ("torchvision.ops.", torchvision.ops)):
        if name.startswith(prefix):
            return _is_module(getattr(module, name.removeprefix(prefix), None))
    return _is_module(getattr(tasks, name, None))


def _is_module(value: Any) -> bool:
    import torch

    return isinstance(value, type) and issubclass(value, torch.nn.Module)


def _is_plain_layer(text: str) -> bool:
    """Whether text is a call such as ``nn.LeakyReLU(0.1)``, with literal arguments."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call):
            return False
        for value in (*call.args, *(keyword.value for keyword in call.keywords)):
            ast.literal_eval(value)
        name = ast.unparse(call.func)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return name.startswith(("nn.", "torch.nn.")) and _is_layer(name)


@contextmanager
def talk_on_stderr() -> Iterator[None]:
    """Lead to standard error, inside the block, what ultralytics prints and logs; it must be imported already."""
    from ultralytics.utils import LOGGER

    handlers = [handler for handler in LOGGER.handlers if isinstance(handler, logging.StreamHandler)]
    before = [_lead(handler, sys.stderr) for handler in handlers]
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        for handler, stream in zip(handlers, before, strict=True):
            handler.setStream(stream)


def _lead(handler: logging.StreamHandler[Any], stream: TextIO) -> Any:
    """Let a handler write to a stream and return the one it had, which may be closed: ``setStream`` would flush it."""
    before = handler.stream
    if getattr(before, "closed", False):
        handler.stream = stream
    else:
        handler.setStream(stream)
    return before
