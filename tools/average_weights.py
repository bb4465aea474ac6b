"""Average the weights of several training runs that started from the same network (a "model soup", Wortsman et al., 2022).

::

    python tools/average_weights.py runs/soup/weights/last.pt runs/rare/weights/last.pt runs/close_up/weights/last.pt
    maskdet export model=runs/soup/weights/last.pt

Statistics of the batch normalisation are averaged like everything else.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch


def average(target: Path, checkpoints: Sequence[Path]) -> Path:
    """Write a checkpoint whose every floating-point value is the mean over the checkpoints.

    Args:
        target: the ``.pt`` file to write; all else in it is the first checkpoint's.
        checkpoints: as ultralytics writes them, of one architecture.

    Raises:
        SystemExit: the networks differ.
    """
    read = [torch.load(path, map_location="cpu", weights_only=False) for path in checkpoints]
    networks = [(content.get("ema") or content["model"]).float() for content in read]
    states = [network.state_dict() for network in networks]
    if any(
        {name: value.shape for name, value in state.items()} != {n: v.shape for n, v in states[0].items()}
        for state in states
    ):
        raise SystemExit("error: the networks differ: give runs of one architecture")
    mean = {
        name: torch.stack([state[name].double() for state in states]).mean(dim=0).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }
    networks[0].load_state_dict(mean)
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save({**read[0], "ema": None, "model": networks[0].half()}, target)
    return target


def main() -> None:
    """Read the command line and average."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    options = parser.parse_args()
    print(average(options.target, options.checkpoints))


if __name__ == "__main__":
    main()
