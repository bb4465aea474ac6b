"""How each network is trained: the study's way, and ours."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from maskdet.classifier.augment import NO_AUGMENT, Augment
from maskdet.classifier.crops import STUDY_CROPS, CropOptions
from maskdet.classifier.networks import NetworkSpec

RecipeName = Literal["ours", "study"]
#: imagenet: what the backbone's weights were trained with · unit: 1/255 and nothing else.
Scaling = Literal["imagenet", "unit"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every setting of a training.

    Attributes:
        learning_rate: of Adam, at its height.
        batch: crops a step.
        epochs: at most.
        patience: ends after this many epochs without a lower dev loss.
        scaling: of the pixels.
        schedule: ``constant``, or ``cosine``: rises over the first epoch's half and falls to zero over all epochs.
        weight_decay: decoupled, as in AdamW; of the kernels only.
        label_smoothing: share of the label's weight spread over all classes.
        class_power: a class of n crops counts n to the power of minus this, normalised to a mean of 1; 0 for all
            crops alike.
        ema: each step keeps this much of the averaged weights that are scored and kept; 0 for the plain weights.
        views: with a frozen backbone, how many changed copies of each crop its features are computed of, beside the
            crop itself.
        crops: how faces are cut.
        augment: how crops are changed while training.
    """

    learning_rate: float = 1e-3
    batch: int = 32
    epochs: int = 30
    patience: int = 2
    scaling: Scaling = "unit"
    schedule: Literal["constant", "cosine"] = "constant"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    class_power: float = 0.0
    ema: float = 0.0
    views: int = 0
    crops: CropOptions = STUDY_CROPS
    augment: Augment = field(default=NO_AUGMENT)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return asdict(self)

    def rate(self, progress: float, warm_up: float) -> float:
        """Return the learning rate.

        Args:
            progress: share of all steps done, 0 to 1.
            warm_up: share of all steps over which a cosine schedule rises.

        >>> recipe = Recipe(learning_rate=0.01, schedule="cosine")
        >>> [round(recipe.rate(done, 0.1), 4) for done in (0.05, 0.1, 0.55, 1.0)]
        [0.005, 0.01, 0.005, 0.0]
        """
        if self.schedule == "constant":
            return self.learning_rate
        if progress < warm_up:
            return self.learning_rate * progress / warm_up
        from math import cos, pi

        return self.learning_rate * (1 + cos(pi * (progress - warm_up) / (1 - warm_up))) / 2


#: Mirrored, moved and lit a little: what keeps a network from learning single pixels of 3,159 crops.
_MILD: Final = Augment(flip=0.5, shift=0.08, scale=0.15, rotate=8, light=0.2, colour=0.05)
#: Epochs, by network; on two CPU cores an epoch of CNN-C takes as long as ten of CNN-A.
_EPOCHS: Final = {"cnn-a": 8, "cnn-b": 6, "cnn-c": 3, "vgg19": 3, "resnet50": 5, "inception_v3": 5, "mobilenet_v2": 5}
#: VGG19 has no BatchNorm: from random weights it needs small steps to start at all.
_SCRATCH_RATE: Final = {"vgg19": 1e-4}


def choose_recipe(spec: NetworkSpec, name: RecipeName, *, frozen: bool) -> Recipe:
    """Return how a network of the study is trained.

    Args:
        spec: the network.
        name: ``study`` for the study's settings: Adam at Keras' rate, batch 32 and patience 2 for its own networks,
            batch 1 and patience 3 for the transfer networks, pixels · 1/255, crops as they are.
        frozen: the backbone keeps its weights.
    """
    if name == "study":
        return Recipe() if spec.backbone is None else Recipe(batch=1, patience=3)
    epochs = _EPOCHS[spec.name]
    if spec.backbone is None:
        return Recipe(learning_rate=5e-4, epochs=epochs, patience=4, schedule="cosine", augment=_MILD)
    if frozen:
        return Recipe(
            learning_rate=3e-4,
            epochs=20,
            patience=20,
            scaling="imagenet",
            schedule="cosine",
            weight_decay=1e-2,
            label_smoothing=0.05,
            views=5,
            augment=_MILD,
        )
    rate = _SCRATCH_RATE.get(spec.name, 3e-4)
    return Recipe(
        learning_rate=rate, epochs=epochs, patience=epochs, schedule="cosine", weight_decay=1e-2, augment=_MILD
    )
