"""``maskdet export``: a checkpoint as ONNX, checked against torch."""

from __future__ import annotations

import click


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", metavar="KEY=VALUE…", nargs=-1)
def export(arguments: tuple[str, ...]) -> int:
    """Write a trained .pt as ONNX, with ultralytics' arguments, and check it against torch.

    \b
    maskdet export model=runs/detect/train/weights/best.pt
    maskdet export model=best.pt imgsz=416 dynamic=False
    """
    from maskdet.detector.export import export as run
    from maskdet.detector.train import parse_arguments

    target, parity = run(parse_arguments(arguments))
    click.echo(f"{target}  ({target.stat().st_size / 1e6:.1f} MB)")
    click.echo(f"same as torch within {parity.box_px:.4f} px and {parity.score:.6f} in probability", err=True)
    click.echo(f"next: maskdet detect --weights {target} photo.jpg", err=True)
    return 0
