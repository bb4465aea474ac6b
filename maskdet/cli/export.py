"""``maskdet export``: a checkpoint as ONNX, checked against torch; with ``int8=True``, in 8 bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from maskdet.cli.options import options
from maskdet.cli.options.model import ModelOptions
from maskdet.terminal.console import say, show

if TYPE_CHECKING:
    from maskdet.detector.export.quantise import Quantised


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", metavar="KEY=VALUE…", nargs=-1)
@click.option("--int8", is_flag=True, help="The same as int8=True.")
@options("trust_weights", model=ModelOptions)
def export(arguments: tuple[str, ...], int8: bool, *, model: ModelOptions) -> int:
    """Write a trained .pt as ONNX, with ultralytics' arguments, and check it against torch.

    \b
    maskdet export model=runs/detect/train/weights/best.pt
    maskdet export model=best.pt imgsz=416 dynamic=False
    maskdet export model=best.pt int8=True data=mydata/data.yaml        best-int8.onnx
    maskdet export model=best.onnx int8=True data=mydata/data.yaml      the same, from its ONNX file

    With int8=True the convolutions count in 8 bits; 64 of the training photos of data= set their ranges
    (calibration_photos=64).
    """
    from maskdet.detector.training.arguments import parse_arguments

    settings = parse_arguments(arguments)
    if model.trust_weights:
        settings["trust_weights"] = True
    wanted = settings.pop("int8", False)
    if not isinstance(wanted, bool):
        raise click.UsageError(f"int8={wanted}: expected True or False")
    if int8 or wanted:
        return _export_int8(settings)
    from maskdet.detector.export.to_onnx import export as run

    target, parity, rewritten = run(settings)
    show(f"{target}  ({target.stat().st_size / 1e6:.1f} MB)")
    say(f"same as torch within {parity.box_px:.4f} px and {parity.score:.6f} in probability")
    if not rewritten:
        say("graph as torch's exporter wrote it: no part of it is one that maskdet rewrites for speed")
    say(f"next: maskdet detect --weights {target} photo.jpg")
    return 0


def _export_int8(settings: Mapping[str, Any]) -> int:
    from maskdet.detector.export.to_onnx import export_int8

    done = export_int8(settings)
    show(f"{done.path}  ({done.bytes_before / 1e6:.1f} MB → {done.bytes_after / 1e6:.1f} MB)")
    for line in describe(done):
        say(line)
    say(f"check accuracy: maskdet val model={done.path} data={settings['data']}")
    return 0


def describe(done: Quantised) -> list[str]:
    """Return what was measured, for people: speed, and how far the answers moved."""
    compared = done.agreement
    shown = f"{done.speed:.2f} times as fast as the float model, in ONNX Runtime on this machine"
    lines = [shown if done.speed >= 1 else f"{shown}: slower, keep the float model here"]
    if compared.faces:
        lines.append(
            f"{compared.found} of {compared.faces} faces found again, {compared.same_class} with the same class, "
            f"{compared.extra} new ones; "
        )
        if compared.found:
            lines[-1] += f"boxes overlap by {compared.iou:.2f}, confidences differ by {compared.confidence:.3f} (means)"
    else:
        lines.append(f"no faces on the photos compared, with the float model; {compared.extra} with the INT8 model")
    return lines
