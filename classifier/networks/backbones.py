"""The four torchvision networks that the study takes features from, cut off before their own classifier.

Their modules keep torchvision's names, so that torchvision's weight files fit once the classifier's part is left out.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from maskdet.classifier.networks.specs import BackboneName

if TYPE_CHECKING:
    from torch import nn

Triple = tuple[float, float, float]

_IMAGENET_MEAN: Final[Triple] = (0.485, 0.456, 0.406)
_IMAGENET_STD: Final[Triple] = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class BackboneSpec:
    """A torchvision network as a source of features.

    Attributes:
        weights: torchvision's name of its weights. Each is the first that was published, as Keras' are.
        file: the file that torchvision downloads them to.
        classifier: how the names of the tensors begin that the study's head takes the place of.
        mean: of R, G, B on the scale 0 … 1, subtracted from pixels.
        std: of R, G, B, divided by afterwards.
        keras_conv_biases: Keras' convolutions have biases, torchvision's have none.
        keras_no_scales: Keras' BatchNorm has no scale, torchvision's has.
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


def build_backbone(name: BackboneName, *, initialise: bool) -> nn.Module:
    """Return a backbone with random weights, on torch's current default device.

    Args:
        name: of the backbone.
        initialise: draw the weights as torchvision does, which takes seconds for InceptionV3; False where they are
            replaced anyway.

    Returns:
        (N, 3, side, side) float32 → (N, features) float32, flattened channel by channel.
    """
    from torch import nn
    from torchvision import models

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
