"""The torchvision networks that features are taken from, cut off before their own classifier, with ImageNet's weights.

Their modules keep torchvision's names, so that its weight files fit once the classifier's part is left out. Imports
torch, so it is itself imported only where a network is built.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from contextlib import redirect_stdout
from http.client import HTTPException
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import torch
from torch import nn
from torchvision import models

from maskdet.classifier.networks.specs import BACKBONES, BackboneName, WeightsChoice
from maskdet.errors import WeightsError

State = dict[str, Any]
#: Stands where torchvision has its classifier, which is never read.
_SEEN: Final = "classifier.seen"


def build_backbone(name: BackboneName, *, initialise: bool) -> nn.Module:
    """Return a backbone with random weights: (N, 3, side, side) float32 → (N, features) float32, channel by channel.

    To initialise InceptionV3 as torchvision does takes seconds; in vain where the weights are replaced anyway.
    """
    options: dict[str, Any] = {}
    if name == "inception_v3":
        options = {"aux_logits": False, "transform_input": False, "init_weights": initialise}
    whole = models.get_model(name, weights=None, **options)
    if name in ("mobilenet_v2", "vgg19"):
        # Their pooling stands in ``forward`` or would change the number of features: the study flattens without it.
        return nn.Sequential(OrderedDict(features=whole.features, flatten=nn.Flatten()))
    # The other two flatten by themselves; what stands between the last feature map and that is switched off.
    for part in ("avgpool", "dropout", "fc"):
        if hasattr(whole, part):
            setattr(whole, part, nn.Identity())
    return whole


def load_backbone(name: BackboneName, weights: WeightsChoice, *, quiet: bool = False) -> nn.Module:
    """Return a backbone with its weights, on the CPU (with ``none``: on torch's current default device).

    ``imagenet`` is torchvision's download, which is checked and kept in torch's cache; a path is such a file, whose
    classifier is not used and may be missing.

    Raises:
        WeightsError: the weights cannot be had or read, or are another network's.
    """
    if weights == "none":
        return build_backbone(name, initialise=not _on_meta())
    if isinstance(weights, Path):
        origin, state = str(weights), read_state(name, weights)
    else:
        origin, state = _download(name, quiet=quiet)
    # On the meta device the random weights that are replaced anyway take neither time nor memory.
    with torch.device("meta"):
        backbone = build_backbone(name, initialise=False)
    state = strip_classifier(name, state)
    problem = compare(backbone, state)
    if problem is not None:
        owner = recognise(state)
        what = f"holds {owner}'s weights, not {name}'s" if owner else f"is not torchvision's {name} ({problem})"
        raise WeightsError(origin, f"{what}; {_way_out(name)}")
    state = {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in state.items()}
    backbone.load_state_dict(state, assign=True)
    return backbone


def read_state(name: BackboneName, path: Path) -> State:
    """Read a file of weights, without running anything that it may carry.

    Raises:
        WeightsError: it is missing, damaged, or something else.
    """
    if not path.is_file():
        raise WeightsError(path, f"no such file; {_way_out(name)}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling a stranger's file can raise anything
        # torch's own text is paragraphs with terminal codes, advising to load the file unsafely.
        raise WeightsError(path, f"not a file of weights ({type(error).__name__}); {_way_out(name)}") from error
    if not isinstance(state, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise WeightsError(path, f"not a file of weights (no plain table of tensors); {_way_out(name)}")
    return dict(state)


def write_start(features: nn.Module, seen: str, path: Path) -> None:
    """Write what other trainings start from, as torchvision writes a network: MobileNetV2's tensors, no classifier.

    Args:
        features: the part of that name.
        seen: marks of the photos that it was trained on, see ``maskdet.datasets.photos.seen``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {f"features.{key}": tensor for key, tensor in features.state_dict().items()}
    # A file of weights is a plain table of tensors: the marks are one too, where torchvision has its classifier.
    torch.save({**state, _SEEN: torch.tensor(list(bytes.fromhex(seen)), dtype=torch.uint8)}, path)


def seen_by_start(weights: WeightsChoice) -> str:
    """Return the marks of the photos that a start was trained on; of ImageNet's and of random weights none."""
    if not isinstance(weights, Path):
        return ""
    return bytes(read_state("mobilenet_v2", weights).get(_SEEN, torch.zeros(0)).to(torch.uint8).tolist()).hex()


def strip_classifier(name: BackboneName, state: State) -> State:
    """Return the tensors that belong to the backbone proper."""
    return {key: tensor for key, tensor in state.items() if not key.startswith(BACKBONES[name].classifier)}


def compare(backbone: nn.Module, state: State) -> str | None:
    """Say how tensors differ from what a backbone needs, in a few words; None where they fit."""
    needed = {key: tensor.shape for key, tensor in backbone.state_dict().items()}
    # Files from before torch 0.4.1 lack these counters, and nothing here reads them.
    missing = [key for key in needed if key not in state and not key.endswith("num_batches_tracked")]
    other = [key for key, shape in needed.items() if key in state and state[key].shape != shape]
    extra = [key for key in state if key not in needed]
    for words, keys in (("lacks", missing), ("has another shape of", other), ("has the unknown", extra)):
        if keys:
            more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
            return f"{words} {keys[0]}{more}"
    return None


def recognise(state: State) -> BackboneName | None:
    """Return which of the four backbones a table of tensors belongs to, None for none of them."""
    for name in BACKBONES:
        with torch.device("meta"):
            backbone = build_backbone(name, initialise=False)
        if compare(backbone, strip_classifier(name, state)) is None:
            return name
    return None


def _download(name: BackboneName, *, quiet: bool) -> tuple[str, State]:
    """Return the address and the content of torchvision's file, from torch's cache where it is there."""
    weights = models.get_weight(BACKBONES[name].weights)
    try:
        # torch announces downloads on standard output, which is for results.
        with redirect_stdout(sys.stderr):
            state = weights.get_state_dict(
                progress=not quiet and sys.stderr.isatty(), check_hash=True, map_location="cpu", weights_only=True
            )
    except (OSError, HTTPException, RuntimeError, EOFError, UnpicklingError) as error:
        raise WeightsError(weights.url, f"cannot be had ({_in_short(error)}); {_way_out(name)}") from error
    return weights.url, dict(state)


def _way_out(name: BackboneName) -> str:
    return (
        f"give torchvision's {BACKBONES[name].file} with --backbone-weights FILE, "
        "or train from scratch with --backbone-weights none"
    )


def _in_short(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:120] if lines else type(error).__name__


def _on_meta() -> bool:
    return bool(torch.get_default_device().type == "meta")
