"""Options of every command that runs a model: where, by what, and how often it looks at a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from maskdet.sessions.choice import PRECISIONS, RUNTIMES

F = TypeVar("F", bound=Callable[..., Any])


def device_options(command: F) -> F:
    """Add ``--device`` and ``--runtime``."""
    for option in (
        click.option(
            "--runtime",
            type=click.Choice(RUNTIMES),
            default="auto",
            show_default=True,
            help="What runs the model; auto: ONNX Runtime for .onnx, OpenVINO for its folder, torch for .pt.",
        ),
        click.option(
            "--device",
            default="cpu",
            show_default=True,
            help="cpu, the index of a CUDA GPU, coreml, directml, or openvino:GPU and the like.",
        ),
    ):
        command = option(command)
    return command


def precision_option(command: F) -> F:
    """Add ``--precision``."""
    return click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        default="fp32",
        show_default=True,
        help="bf16: bfloat16 in OpenVINO, faster and less exact, on processors with such instructions.",
    )(command)


def trust_option(command: F) -> F:
    """Add ``--trust-weights``."""
    return click.option(
        "--trust-weights",
        is_flag=True,
        help="Load a .pt file whatever it names, which runs what it says: only where you trust its maker.",
    )(command)


def look_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add both options; ``--close-ups`` not given is None: as the model asks."""
    close_ups = click.option(
        "--close-ups/--no-close-ups",
        default=None,
        help="See each picture once more at a small input, for faces that fill it.  [default: as the model asks]",
    )
    augment = click.option(
        "--augment",
        is_flag=True,
        help="See each picture also mirrored and smaller, and fuse what is found (more accurate, 3.4 times the work).",
    )
    return close_ups(augment(command))
