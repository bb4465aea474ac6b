"""Networks made of their specs. Imports torch, so it is itself imported only where a network is built.

The initial weights are Keras' defaults, since the study ran on Keras: kernels Glorot uniform, biases zero. They are
drawn from torch's global generator; ``torch.manual_seed`` fixes them.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

from maskdet.classes import CLASS_NAMES
from maskdet.classifier.networks.backbones import load_backbone
from maskdet.classifier.networks.specs import Conv, TaskName, WeightsChoice, find_network

if TYPE_CHECKING:
    from typing import Self


class TransferNet(nn.Module):  # type: ignore[misc]
    """Features from a backbone, (N, features) float32, and dense layers that classify them.

    While the backbone is frozen, ``features`` gives the same for the same image, whatever was trained meanwhile, and
    may be computed once and kept.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module, *, frozen: bool) -> None:
        """Put both together; ``frozen`` also switches off the backbone's gradients."""
        super().__init__()
        self.backbone = backbone.requires_grad_(not frozen)
        self.head = head
        self.frozen = frozen
        self.train()

    def train(self, mode: bool = True) -> Self:
        """Switch to training or evaluation; a frozen backbone stays in evaluation.

        As in Keras, where a frozen BatchNorm normalises with its stored statistics and leaves them alone.
        """
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, features) float32 of (N, 3, side, side) float32 images; without gradients if frozen."""
        if not self.frozen:
            return self.backbone(images)
        with torch.no_grad():
            return self.backbone(images)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, 1) float32 logits of (N, 3, side, side) float32 images."""
        return self.head(self.features(images))


def build_convnet(convs: tuple[Conv, ...], dense: tuple[int, ...], side: int, outputs: int = 1) -> nn.Sequential:
    """Return convolutions, flattening and ``dense`` layers of so many units, one logit or one a class at the end.

    (N, 3, side, side) float32 → (N, outputs) float32; submodules ``convs``, ``flatten`` and ``head``.
    """
    layers: list[nn.Module] = []
    channels = 3
    for conv in convs:
        layers += [nn.Conv2d(channels, conv.filters, conv.kernel, padding=conv.padding), nn.ReLU(inplace=True)]
        side -= conv.kernel - 1 if conv.padding == "valid" else 0
        if conv.pool > 1:
            layers.append(nn.MaxPool2d(conv.pool))
            side //= conv.pool
        channels = conv.filters
    body = nn.Sequential(*layers)
    initialise(body)
    head = build_head(channels * side * side, dense, outputs)
    return nn.Sequential(OrderedDict(convs=body, flatten=nn.Flatten(), head=head))


def build_head(features: int, dense: tuple[int, ...], outputs: int = 1) -> nn.Sequential:
    """Return dense layers with ReLU and a linear output: (N, features) float32 → (N, outputs) float32.

    The one output of two classes is the logit; its sigmoid, which the study's last layer applies, belongs into the
    loss, where it is exact for any logit.
    """
    layers: list[nn.Module] = []
    for inputs, units in pairwise((features, *dense)):
        layers += [nn.Linear(inputs, units), nn.ReLU(inplace=True)]
    head = nn.Sequential(*layers, nn.Linear((features, *dense)[-1], outputs))
    initialise(head)
    return head


def initialise(module: nn.Module) -> None:
    """Draw the weights of all convolutions and dense layers as Keras does (Glorot & Bengio 2010, uniform)."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)


def build_network(
    name: str,
    weights: WeightsChoice = "imagenet",
    *,
    frozen: bool | None = None,
    task: TaskName = "binary",
    quiet: bool = False,
) -> nn.Module:
    """Return a network in training mode: (N, 3, side, side) float32 RGB → (N, 1 or classes) float32 logits.

    With ``frozen`` weights the backbone, then of a ``TransferNet``, stays as it is and the head is trained alone, as in
    the study; None is frozen unless the backbone starts from random weights. One that is fine-tuned never is. With
    three classes a network of the study gives one logit a class, which it does not have there.

    Raises:
        MaskdetError: there is no network of that name.
        WeightsError: the backbone's weights cannot be had, or the file is another network's.
    """
    spec = find_network(name)
    outputs = 1 if task == "binary" else len(CLASS_NAMES)
    if spec.backbone is None:
        return build_convnet(spec.convs, spec.dense, spec.side, outputs)
    backbone = load_backbone(spec.backbone, weights, quiet=quiet)
    if spec.fine_tuned:
        return _averaged(backbone.features, spec.features, len(CLASS_NAMES))
    frozen = weights != "none" if frozen is None else frozen
    return TransferNet(backbone, build_head(spec.features, spec.dense, outputs), frozen=frozen)


def _averaged(features: nn.Module, channels: int, classes: int) -> nn.Sequential:
    """Return a network that averages a backbone's map and gives one logit a class; any side from 32 px on."""
    head = nn.Linear(channels, classes)
    nn.init.normal_(head.weight, std=0.01)
    nn.init.zeros_(head.bias)
    parts = OrderedDict(
        features=features, pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), dropout=nn.Dropout(0.2), head=head
    )
    return nn.Sequential(parts)


def build_on_meta(name: str) -> nn.Module:
    """Return a network without weights: shapes and counts are right, and even CNN-C takes no memory.

    Backbones are frozen. Errors as ``build_network``.
    """
    with torch.device("meta"):
        return build_network(name, "none", frozen=True)
