"""The network of the classifier that ships: MobileNetV2 for three classes, from ImageNet's weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maskdet.classifier.crops.crop import CropOptions
from maskdet.classifier.networks.specs import WeightsChoice
from maskdet.classifier.training.recipe import Augment, Recipe
from maskdet.extras import require

if TYPE_CHECKING:
    from torch import nn

NAME: Final = "maskdet-c"
TITLE: Final = "maskdet-c (MobileNetV2, three classes)"
SIDE: Final = 96
_FEATURES: Final = 1280

#: Boxes as loose as a detector's, faces as small as a crowd's, pictures as bad as a camera's.
RECIPE: Final = Recipe(
    learning_rate=1e-3,
    batch=32,
    epochs=14,
    patience=14,
    scaling="imagenet",
    schedule="cosine",
    weight_decay=2e-2,
    label_smoothing=0.05,
    class_power=0.5,
    ema=0.998,
    crops=CropOptions(margin=0.2, square=True),
    augment=Augment(
        flip=0.5, shift=0.1, scale=0.2, rotate=12, light=0.25, colour=0.08, shrink=0.25, blur=0.1, jpeg=0.2
    ),
)


def build_mask_net(weights: WeightsChoice = "imagenet", *, classes: int = 3, quiet: bool = False) -> nn.Module:
    """Return the network in training mode, all of it to be trained.

    Args:
        weights: MobileNetV2's, as ``build_network`` takes them.
        classes: number of logits.
        quiet: no progress bar while weights are downloaded.

    Returns:
        (N, 3, side, side) float32 RGB, normalised as for ImageNet → (N, classes) float32 logits; any side from 32 on.

    Raises:
        MissingExtraError: torch and torchvision are not installed.
        WeightsError: the weights cannot be had, or the file is another network's.
    """
    require("torch", what="training the classifier", extra="train")
    require("torchvision", what="training the classifier", extra="train")
    from collections import OrderedDict

    from torch import nn

    from maskdet.classifier.networks.backbone_weights import load_backbone

    features = load_backbone("mobilenet_v2", weights, quiet=quiet).features
    head = nn.Linear(_FEATURES, classes)
    nn.init.normal_(head.weight, std=0.01)
    nn.init.zeros_(head.bias)
    parts = OrderedDict(
        features=features, pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), dropout=nn.Dropout(0.2), head=head
    )
    return nn.Sequential(parts)
