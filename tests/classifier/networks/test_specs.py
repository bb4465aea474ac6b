from __future__ import annotations

import subprocess
import sys

import pytest

from maskdet.classifier.networks.parameters import ParameterRow, count_parameters, parameter_table
from maskdet.classifier.networks.specs import NETWORKS, find_network
from maskdet.errors import MaskdetError

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from maskdet.classifier.networks.build import build_network, build_on_meta  # noqa: E402 - it imports torch

#: As the study prints them.
PRINTED = {
    "cnn-a": (8_620_441, 8_620_441),
    "cnn-b": (19_691_695, 19_691_695),
    "cnn-c": (520_244_417, 520_244_417),
    "mobilenet_v2": (18_355_777, 16_097_793),
    "vgg19": (20_294_977, 270_593),
    "resnet50": (24_644_737, 1_057_025),
    "inception_v3": (22_073_377, 270_593),
}
#: torchvision's parameters, running statistics, Keras' convolution biases, scales that Keras lacks, Keras' total.
BACKBONES = {
    "mobilenet_v2": (2_223_872, 34_112, 0, 0, 2_257_984),
    "vgg19": (20_024_384, 0, 0, 0, 20_024_384),
    "resnet50": (23_508_032, 53_120, 26_560, 0, 23_587_712),
    "inception_v3": (21_785_568, 34_432, 0, 17_216, 21_802_784),
}


@pytest.fixture(scope="module")
def table() -> dict[str, ParameterRow]:
    return {row.name: row for row in parameter_table()}


def test_the_printed_counts_to_the_unit(table: dict[str, ParameterRow]) -> None:
    assert list(table) == list(PRINTED)
    for name, (total, trainable) in PRINTED.items():
        row = table[name]
        assert (row.printed_total, row.printed_trainable) == (total, trainable)
        assert row.trainable == trainable
        assert row.keras_total == total


def test_keras_totals_follow_from_torchvision(table: dict[str, ParameterRow]) -> None:
    for name, (parameters, running, biases, scales, keras) in BACKBONES.items():
        row = table[name]
        assert row.total - row.trainable == parameters
        assert (row.running_statistics, row.conv_biases, row.scales) == (running, biases, scales)
        assert row.keras_total - row.trainable == keras == parameters + running + biases - scales


def test_the_differences_are_explained(table: dict[str, ParameterRow]) -> None:
    for name in ("cnn-a", "cnn-b", "cnn-c", "vgg19"):
        assert table[name].explanation == ""
        assert table[name].total == table[name].printed_total
    assert table["resnet50"].explanation == (
        "24,565,057 + 53,120 running statistics of BatchNorm + 26,560 convolution biases of Keras' version = 24,644,737"
    )
    assert (
        table["inception_v3"]
        .to_dict()["explanation"]
        .endswith(" − 17,216 BatchNorm scales that Keras' version lacks = 22,073,377")
    )


@pytest.mark.parametrize("name", PRINTED)
def test_shapes_and_gradients(name: str) -> None:
    spec = NETWORKS[name]
    network = build_on_meta(name)
    images = torch.empty(2, 3, spec.side, spec.side, device="meta")
    logits = network(images)
    assert tuple(logits.shape) == (2, 1) and logits.dtype == torch.float32
    if spec.backbone is None:
        assert tuple(network.flatten(network.convs(images)).shape) == (2, spec.features)
    else:
        features = network.features(images)
        assert tuple(features.shape) == (2, spec.features)
        assert not features.requires_grad and logits.requires_grad
        assert not any(parameter.requires_grad for parameter in network.backbone.parameters())


def test_a_frozen_backbone_gives_the_same_features_while_training() -> None:
    torch.manual_seed(0)
    network = build_network("mobilenet_v2", "none", frozen=True)
    assert network.training and network.head.training and not network.backbone.training
    images = torch.rand(2, 3, 224, 224)
    before = network.features(images)
    torch.nn.functional.binary_cross_entropy_with_logits(network(images), torch.ones(2, 1)).backward()
    assert torch.equal(network.features(images), before)
    assert all(parameter.grad is None for parameter in network.backbone.parameters())
    assert all(parameter.grad is not None for parameter in network.head.parameters())


def test_random_backbones_are_trained_unless_asked_otherwise() -> None:
    network = build_network("mobilenet_v2", "none")
    assert not network.frozen
    assert network.backbone.training and not network.eval().backbone.training
    total, trainable = count_parameters(network)
    assert total == trainable


def test_initial_weights_are_those_of_keras_and_follow_the_seed() -> None:
    drawn = []
    for _ in range(2):
        torch.manual_seed(1)
        drawn.append(build_network("cnn-a"))
    assert all(torch.equal(a, b) for a, b in zip(drawn[0].parameters(), drawn[1].parameters(), strict=True))
    first, last = drawn[0].convs[0], drawn[0].head[-1]
    assert not first.bias.any() and not last.bias.any()
    limit = (6 / (3 * 25 + 6 * 25)) ** 0.5  # Glorot: sqrt(6 / (fan in + fan out))
    assert 0.9 * limit < float(first.weight.detach().abs().max()) <= limit
    assert float(last.weight.detach().abs().max()) <= (6 / (128 + 1)) ** 0.5


def test_names() -> None:
    assert find_network("CNN-A") is NETWORKS["cnn-a"]
    assert find_network("MobileNet-V2") is NETWORKS["mobilenet_v2"]
    with pytest.raises(MaskdetError, match="unknown network 'alexnet': the networks are cnn-a, cnn-b, cnn-c, mobile"):
        build_network("alexnet")


def test_the_registry_loads_no_torch() -> None:
    networks, crops = "specs, parameters", "crop, crop_folder"
    imports = f"from maskdet.classifier.networks import {networks}; from maskdet.classifier.crops import {crops}"
    code = f"import sys; {imports}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
