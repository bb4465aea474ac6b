"""``maskdet train``: hands key=value arguments to the trainer."""

from __future__ import annotations

import click

from maskdet.cli.options import options
from maskdet.cli.options.model import ModelOptions
from maskdet.terminal.console import say, show


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", metavar="KEY=VALUE…", nargs=-1)
@options("trust_weights", model=ModelOptions)
def train(arguments: tuple[str, ...], *, model: ModelOptions) -> int:
    """Train a detector, with ultralytics' arguments.

    \b
    maskdet train data=mydata/data.yaml epochs=100          on the GPU if there is one, else on the CPU
    maskdet train data=mydata/data.yaml model=yolov8s.pt device=0,1
    maskdet train data=mydata/data.yaml model=maskdet-n     goes on from the shipped detector
    maskdet train resume=True model=runs/detect/train/weights/last.pt

    What you do not give comes from maskdet's recipe (its keys: model, cls_pw, nbs, cache, close_mosaic, early_imgsz,
    early_share, close_up, rare_photo, paste_rare, slip_mask), then from ultralytics. On a processor with bfloat16 the
    run uses it; cpu_bf16=False turns it off.

    \b
    maskdet's own keys, the first five as parts (0 to 1) of the photos or faces:
    close_up=     photos replaced by a close-up of one face        rare_photo=  … by a photo of the rare class
    paste_rare=   faces replaced by one of the rare class          slip_mask=   bare faces given a mask below the nose
    poor_camera=  photos seen through a poor camera (not in the recipe: 0)
    early_imgsz=  input size of the first epochs                   early_share= share of the epochs that run at it
    cpu_threads=  threads on a CPU                                 cpu_bf16=    bfloat16 on a CPU
    """
    from maskdet.detector.training.arguments import parse_arguments
    from maskdet.detector.training.train import train as run

    settings = parse_arguments(arguments)
    if model.trust_weights:
        settings["trust_weights"] = True
    folder = run(settings)
    show(f"weights: {folder / 'weights' / 'best.pt'}")
    say(f"next:    maskdet export model={folder / 'weights' / 'best.pt'}")
    return 0
