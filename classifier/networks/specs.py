"""The networks by name, as data: three of the study's own, its four ImageNet backbones with a head, and maskdet-c.

All take (N, 3, side, side) float32 RGB and give the logits of their task's classes: one, of *without mask*, for two
classes, one a class for three. The study scales pixels to 0 … 1; what a backbone's ImageNet weights were trained with
is its ``mean`` and ``std``. The layers of the three own networks are not printed in the study; these reproduce its
parameter counts exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from maskdet.errors import MaskdetError


@dataclass(frozen=True, slots=True)
class Conv:
    """A convolution of stride 1 with a bias and ReLU, possibly followed by max-pooling of a side and stride.

    ``same`` padding keeps the size, ``valid`` loses ``kernel - 1`` pixels.
    """

    filters: int
    kernel: int
    padding: Literal["same", "valid"]
    pool: int = 1


BackboneName = Literal["mobilenet_v2", "vgg19", "resnet50", "inception_v3"]
#: binary: with and without mask · three: all classes.
TaskName = Literal["binary", "three"]
#: imagenet: torchvision's, downloaded once · none: random · a path: the same file fetched by hand, or one of our own.
WeightsChoice = Path | Literal["imagenet", "none"]
Triple = tuple[float, float, float]

_IMAGENET_MEAN: Final[Triple] = (0.485, 0.456, 0.406)
_IMAGENET_STD: Final[Triple] = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class BackboneSpec:
    """A torchvision network as a source of features.

    Attributes:
        weights: torchvision's name of its weights. Each is the first that was published, as Keras' are.
        classifier: how the names of the tensors begin that the study's head takes the place of.
        mean: of R, G, B on the scale 0 … 1, subtracted from pixels; then they are divided by ``std``.
        keras_conv_biases, keras_no_scales: what Keras' network has and lacks beside torchvision's.
    """

    weights: str
    file: str
    classifier: tuple[str, ...]
    mean: Triple = _IMAGENET_MEAN
    std: Triple = _IMAGENET_STD
    keras_conv_biases: bool = False
    keras_no_scales: bool = False


BACKBONES: Final[dict[BackboneName, BackboneSpec]] = {
    "mobilenet_v2": BackboneSpec(
        "MobileNet_V2_Weights.IMAGENET1K_V1", "mobilenet_v2-b0353104.pth", ("classifier.",)
    ),
    "vgg19": BackboneSpec("VGG19_Weights.IMAGENET1K_V1", "vgg19-dcbb9e9d.pth", ("classifier.",)),
    "resnet50": BackboneSpec(
        "ResNet50_Weights.IMAGENET1K_V1", "resnet50-0676ba61.pth", ("fc.",), keras_conv_biases=True
    ),
    # These weights come from TensorFlow and expect -1 … 1; torchvision's own forward undoes ImageNet's mean for them.
    "inception_v3": BackboneSpec(
        "Inception_V3_Weights.IMAGENET1K_V1", "inception_v3_google-0cc3c7bd.pth", ("fc.", "AuxLogits."),
        mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), keras_no_scales=True,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """One network.

    Attributes:
        title: for people; what the study calls its own.
        side: of the input in pixels.
        features: values of each image behind convolutions and pooling.
        dense: units of the dense layers behind it, before the output.
        printed_total: parameters as the study prints them; 0 for a network that is not the study's.
        convs: the convolutions of an own network; empty with a backbone.
        backbone: torchvision's name of the backbone, None for an own network.
        fine_tuned: the backbone is trained along, its map averaged; else it stays as it is, and its map is flattened.
        inferred: how surely layers and input follow from the printed counts, since the study prints neither.
    """

    name: str
    title: str
    side: int
    features: int
    dense: tuple[int, ...]
    printed_total: int = 0
    printed_trainable: int = 0
    convs: tuple[Conv, ...] = ()
    backbone: BackboneName | None = None
    task: TaskName = "binary"
    fine_tuned: bool = False
    inferred: str = ""


def _own(
    name: str, title: str, inferred: str, features: int, dense: tuple[int, ...], printed: int, *convs: Conv
) -> NetworkSpec:
    return NetworkSpec(name, title, 256, features, dense, printed, printed, convs, inferred=inferred)


def _transfer(
    name: BackboneName, title: str, inferred: str, side: int, features: int, dense: tuple[int, ...], total: int,
    trainable: int,
) -> NetworkSpec:  # fmt: skip
    return NetworkSpec(name, title, side, features, dense, total, trainable, backbone=name, inferred=inferred)


_ALL: Final = (
    _own(
        "cnn-a", "CNN-A", "layers and input probable", 16_384, (512, 256, 128), 8_620_441,
        *(Conv(filters, 5, "same", pool=2) for filters in (6, 16, 32, 64)),
    ),
    _own(
        "cnn-b", "CNN-B", "layers and input strongly supported", 153_760, (128, 64), 19_691_695,
        Conv(6, 5, "valid"), Conv(10, 5, "valid", pool=2),
    ),
    _own(
        "cnn-c", "CNN-C", "layers and input conclusive", 4_064_256, (128,), 520_244_417,
        Conv(32, 3, "valid"), Conv(64, 3, "valid"),
    ),
    _transfer(
        "mobilenet_v2", "MobileNetV2", "the head; the input up to its map of 7×7",
        224, 62_720, (256, 128, 64), 18_355_777, 16_097_793,
    ),
    _transfer("vgg19", "VGG19", "the head; the input up to its map of 2×2", 64, 2_048, (128, 64), 20_294_977, 270_593),
    _transfer(
        "resnet50", "ResNet50", "the head; the input up to its map of 2×2",
        64, 8_192, (128, 64), 24_644_737, 1_057_025,
    ),
    _transfer(
        "inception_v3", "InceptionV3", "the head; the input cannot be known",
        75, 2_048, (128, 64), 22_073_377, 270_593,
    ),
    NetworkSpec(
        "maskdet-c", "maskdet-c (MobileNetV2, three classes)", 96, 1_280, (), backbone="mobilenet_v2", task="three",
        fine_tuned=True,
    ),
)  # fmt: skip

#: By name, the study's in its order, then the classifier that ships.
NETWORKS: Final[dict[str, NetworkSpec]] = {spec.name: spec for spec in _ALL}
#: The classifier that ships.
SHIPPED: Final = "maskdet-c"
#: Those of the study alone.
STUDY_NETWORKS: Final[dict[str, NetworkSpec]] = {name: spec for name, spec in NETWORKS.items() if spec.printed_total}


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
