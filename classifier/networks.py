"""The study's seven networks: three of its own and four ImageNet backbones with a head, by name.

All take (N, 3, side, side) float32 RGB and give (N, 1) float32, the logit of the positive class *without mask*. The
study scales pixels to 0 … 1; what a backbone's ImageNet weights were trained with is its ``mean`` and ``std``.

The layers of the three own networks are not printed in the study; these reproduce its parameter counts exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from maskdet.classifier.layers import Conv, build_convnet, build_head
from maskdet.errors import MaskdetError
from maskdet.extras import require

if TYPE_CHECKING:
    from torch import nn

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
    from maskdet.classifier.backbone_weights import load_backbone
    from maskdet.classifier.transfer_net import TransferNet

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
