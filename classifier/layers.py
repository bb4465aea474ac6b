"""The layers that the study's networks are made of, as data, and torch modules made from them.

The initial weights are Keras' defaults, since the study ran on Keras: kernels Glorot uniform, biases zero. They are
drawn from torch's global generator; ``torch.manual_seed`` fixes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Conv:
    """A convolution with a bias and ReLU, stride 1, possibly followed by pooling.

    Attributes:
        filters: output channels.
        kernel: side in pixels.
        padding: ``same`` keeps the size, ``valid`` loses ``kernel - 1`` pixels.
        pool: side and stride of the max-pooling behind it; 1 for none.
    """

    filters: int
    kernel: int
    padding: Literal["same", "valid"]
    pool: int = 1


def build_convnet(convs: tuple[Conv, ...], dense: tuple[int, ...], side: int) -> nn.Sequential:
    """Return a network of convolutions, flattening and dense layers that ends in one logit.

    Args:
        convs: from the input on.
        dense: units of the layers between flattening and output.
        side: of the input in pixels.

    Returns:
        (N, 3, side, side) float32 → (N, 1) float32; submodules ``convs``, ``flatten`` and ``head``.
    """
    from collections import OrderedDict

    from torch import nn

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
    head = build_head(channels * side * side, dense)
    return nn.Sequential(OrderedDict(convs=body, flatten=nn.Flatten(), head=head))


def build_head(features: int, dense: tuple[int, ...]) -> nn.Sequential:
    """Return dense layers with ReLU and one output unit.

    The output is the logit; its sigmoid, which the study's last layer applies, belongs into the loss, where it is
    exact for any logit.

    Args:
        features: values of each flattened input.
        dense: units of the layers between input and output.

    Returns:
        (N, features) float32 → (N, 1) float32.
    """
    from torch import nn

    layers: list[nn.Module] = []
    for inputs, units in pairwise((features, *dense)):
        layers += [nn.Linear(inputs, units), nn.ReLU(inplace=True)]
    head = nn.Sequential(*layers, nn.Linear((features, *dense)[-1], 1))
    initialise(head)
    return head


def initialise(module: nn.Module) -> None:
    """Draw the weights of all convolutions and dense layers as Keras does (Glorot & Bengio 2010, uniform)."""
    from torch import nn

    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
