"""How each network is trained, the study's way and ours, and what happens to a face's box and pixels meanwhile.

The random changes are those that detectors and cameras make to faces.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.classifier.crops.crop import STUDY_CROPS, CropOptions
from maskdet.classifier.networks.specs import NetworkSpec


@dataclass(frozen=True, slots=True)
class Augment:
    """How strongly to change crops; all zero changes nothing.

    Attributes:
        flip: chance of mirroring left and right.
        shift: the box's centre moves by up to this fraction of its sides.
        scale: the box's sides grow or shrink by up to this fraction, each for itself.
        rotate: turns by up to this many degrees.
        light: brightness and contrast change by up to this fraction.
        colour: each channel changes by up to this fraction.
        shrink: chance of being scaled down to between 8 and 32 px and back, as a face far away.
        blur: chance of a Gaussian blur.
        jpeg: chance of JPEG compression at quality 20 to 80.
    """

    flip: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    rotate: float = 0.0
    light: float = 0.0
    colour: float = 0.0
    shrink: float = 0.0
    blur: float = 0.0
    jpeg: float = 0.0

    def box(self, box: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return a shifted and scaled box, (4,) float64 xyxy, with an area if the given one has."""
        if not (self.shift or self.scale):
            return box
        centre, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        centre = centre + size * rng.uniform(-self.shift, self.shift, 2)
        # Equal steps in the logarithm: twice as large is as likely as half as large.
        size = size * (1 + self.scale) ** rng.uniform(-1, 1, 2)
        return np.concatenate([centre - size / 2, centre + size / 2])

    def pixels(self, crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Return a changed crop of the same shape, (h, w, 3) uint8 BGR; the given one is left alone."""
        height, width = crop.shape[:2]
        if self.flip and rng.random() < self.flip:
            crop = np.ascontiguousarray(crop[:, ::-1])
        if self.rotate:
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-self.rotate, self.rotate), 1.0)
            crop = _bytes(cv2.warpAffine(crop, turn, (width, height), borderMode=cv2.BORDER_REPLICATE))
        if self.shrink and rng.random() < self.shrink:
            side = round(2 ** rng.uniform(3, 5))
            if side < min(height, width):
                small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
                crop = _bytes(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
        if self.blur and rng.random() < self.blur:
            crop = _bytes(cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.3, 0.02 * max(height, width) + 0.4)))
        if self.light or self.colour:
            crop = self._light(crop, rng)
        if self.jpeg and rng.random() < self.jpeg:
            quality = int(rng.integers(20, 81))
            code = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            crop = _bytes(cv2.imdecode(code, cv2.IMREAD_COLOR))
        return crop

    def _light(self, crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        gain = 1 + rng.uniform(-self.light, self.light)
        offset = 128 * rng.uniform(-self.light, self.light)
        channels = gain * (1 + rng.uniform(-self.colour, self.colour, 3))
        levels = np.arange(256)[:, None]
        # A table of 256 levels a channel: the arithmetic is done once a level, not once a pixel.
        table = np.clip(np.round((levels - 128) * channels + 128 + offset), 0, 255).astype(np.uint8)
        return _bytes(cv2.LUT(np.ascontiguousarray(crop), table[None]))


def _bytes(image: NDArray[np.generic] | cv2.typing.MatLike | None) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = np.asarray(image, dtype=np.uint8)
    return array


#: Leaves every crop as it is: the study's way.
NO_AUGMENT = Augment()


RecipeName = Literal["ours", "study"]
#: imagenet: what the backbone's weights were trained with · unit: 1/255 and nothing else.
Scaling = Literal["imagenet", "unit"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every setting of a training.

    Attributes:
        learning_rate: of Adam, at its height.
        batch: crops a step.
        patience: ends after this many epochs without a lower dev loss.
        schedule: ``constant``, or ``cosine``: rises over the first epoch's half and falls to zero over all epochs.
        weight_decay: decoupled, as in AdamW; of the kernels only.
        label_smoothing: share of the label's weight spread over all classes.
        class_power: a class of n crops counts n to the power of minus this, normalised to a mean of 1; 0 for all
            crops alike.
        ema: each step keeps this much of the averaged weights that are scored and kept; 0 for the plain weights.
        views: with a frozen backbone, how many changed copies of each crop its features are computed of, beside the
            crop itself.
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


#: A network that stands here is trained in this way only. The classifier that ships: boxes as loose as a detector's,
#: faces as small as a crowd's, pictures as bad as a camera's.
ONLY_RECIPES: Final = {
    "maskdet-c": Recipe(
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
}


def choose_recipe(spec: NetworkSpec, name: RecipeName, *, frozen: bool) -> Recipe:
    """Return how a network is trained.

    ``study`` stands for the study's settings: Adam at Keras' rate, batch 32 and patience 2 for its own networks, batch
    1 and patience 3 for the transfer networks, pixels · 1/255, crops as they are.
    """
    if spec.name in ONLY_RECIPES:
        return ONLY_RECIPES[spec.name]
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
