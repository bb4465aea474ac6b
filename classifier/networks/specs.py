"""The study's seven networks: three of its own and four ImageNet backbones with a head, by name.

All take (N, 3, side, side) float32 RGB and give (N, 1) float32, the logit of the positive class *without mask*. The
study scales pixels to 0 … 1; what a backbone's ImageNet weights were trained with is its ``mean`` and ``std``.

The layers of the three own networks are not printed in the study; these reproduce its parameter counts exactly. Layers
are data, and torch modules are made from them. The initial weights are Keras' defaults, since the study ran on Keras:
kernels Glorot uniform, biases zero. They are drawn from torch's global generator; ``torch.manual_seed`` fixes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from maskdet.errors import MaskdetError
from maskdet.extras import require

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


NetworkName = Literal["cnn-a", "cnn-b", "cnn-c", "mobilenet_v2", "vgg19", "resnet50", "inception_v3"]
BackboneName = Literal["mobilenet_v2", "vgg19", "resnet50", "inception_v3"]
#: imagenet: torchvision's, downloaded once · none: random · a path: the same file, fetched by hand.
WeightsChoice = Path | Literal["imagenet", "none"]


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """One network of the study.

    Attributes:
        name: how it is called on the command line.
        title: how the study calls it.
        side: of the input in pixels.
        features: values of each image behind flattening.
        dense: units of the dense layers behind it, before the single output.
        convs: the convolutions of an own network; empty with a backbone.
        backbone: torchvision's name of the backbone, None for an own network.
        printed_total: parameters as the study prints them.
        printed_trainable: trainable parameters as the study prints them.
    """

    name: NetworkName
    title: str
    side: int
    features: int
    dense: tuple[int, ...]
    printed_total: int
    printed_trainable: int
    convs: tuple[Conv, ...] = ()
    backbone: BackboneName | None = None


def _own(
    name: NetworkName, title: str, features: int, dense: tuple[int, ...], printed: int, *convs: Conv
) -> NetworkSpec:
    return NetworkSpec(name, title, 256, features, dense, printed, printed, convs)


def _transfer(
    name: BackboneName, title: str, side: int, features: int, dense: tuple[int, ...], total: int, trainable: int
) -> NetworkSpec:
    return NetworkSpec(name, title, side, features, dense, total, trainable, backbone=name)


_ALL: Final = (
    _own(
        "cnn-a", "CNN-A", 16_384, (512, 256, 128), 8_620_441,
        *(Conv(filters, 5, "same", pool=2) for filters in (6, 16, 32, 64)),
    ),
    _own("cnn-b", "CNN-B", 153_760, (128, 64), 19_691_695, Conv(6, 5, "valid"), Conv(10, 5, "valid", pool=2)),
    _own("cnn-c", "CNN-C", 4_064_256, (128,), 520_244_417, Conv(32, 3, "valid"), Conv(64, 3, "valid")),
    _transfer("mobilenet_v2", "MobileNetV2", 224, 62_720, (256, 128, 64), 18_355_777, 16_097_793),
    _transfer("vgg19", "VGG19", 64, 2_048, (128, 64), 20_294_977, 270_593),
    _transfer("resnet50", "ResNet50", 64, 8_192, (128, 64), 24_644_737, 1_057_025),
    _transfer("inception_v3", "InceptionV3", 75, 2_048, (128, 64), 22_073_377, 270_593),
)  # fmt: skip

#: By name, in the study's order.
NETWORKS: Final[dict[NetworkName, NetworkSpec]] = {spec.name: spec for spec in _ALL}


def find_network(name: str) -> NetworkSpec:
    """Return a network by its name, in any case and with ``-`` or ``_``.

    Raises:
        MaskdetError: there is none of that name.

    >>> find_network("CNN_A").printed_total, find_network("vgg19").side
    (8620441, 64)
    """
    plain = name.lower().replace("_", "-")
    for known, spec in NETWORKS.items():
        if plain == known.replace("_", "-"):
            return spec
    raise MaskdetError(f"unknown network {name!r}: the networks are {', '.join(NETWORKS)}")


def build_network(
    name: str, weights: WeightsChoice = "imagenet", *, frozen: bool | None = None, quiet: bool = False
) -> nn.Module:
    """Return a network ready to be trained, on the CPU, in training mode.

    Args:
        name: of the network.
        weights: the backbone's weights; without meaning for the three own networks, which start from random ones.
        frozen: keep the backbone as it is and train the head alone, as the study does; None for frozen unless the
            backbone starts from random weights, where only training it makes sense.
        quiet: no progress bar while weights are downloaded.

    Returns:
        (N, 3, side, side) float32 RGB → (N, 1) float32 logits. With a backbone a ``TransferNet``.

    Raises:
        MissingExtraError: torch and torchvision are not installed.
        MaskdetError: there is no network of that name.
        WeightsError: the backbone's weights cannot be had, or the file is another network's.
    """
    spec = find_network(name)
    require("torch", what="the crop study", extra="train")
    if spec.backbone is None:
        return build_convnet(spec.convs, spec.dense, spec.side)
    require("torchvision", what=f"{spec.title} (a torchvision network)", extra="train")
    # These import torch when they are imported.
    from maskdet.classifier.networks.backbone_weights import load_backbone
    from maskdet.classifier.networks.transfer_net import TransferNet

    backbone = load_backbone(spec.backbone, weights, quiet=quiet)
    frozen = weights != "none" if frozen is None else frozen
    return TransferNet(backbone, build_head(spec.features, spec.dense), frozen=frozen)


def build_on_meta(name: str) -> nn.Module:
    """Return a network without weights: shapes and counts are right, and even CNN-C takes no memory.

    Backbones are frozen. Errors as ``build_network``.
    """
    require("torch", what="the crop study", extra="train")
    import torch

    with torch.device("meta"):
        return build_network(name, "none", frozen=True)
