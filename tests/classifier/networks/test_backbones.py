from __future__ import annotations

import sys
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from maskdet.classifier.networks.specs import BACKBONES, BackboneName
from maskdet.errors import WeightsError

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")

from maskdet.classifier.networks.build import build_network  # noqa: E402 - it imports torch

WAY_OUT = r"with --backbone-weights FILE, or train from scratch with --backbone-weights none$"


def torchvision_state(name: str) -> dict[str, Any]:
    """The tensors of a whole torchvision network, as its weight file has them (auxiliary classifier included)."""
    torch.manual_seed(3)
    options = {"init_weights": False} if name == "inception_v3" else {}
    return dict(models.get_model(name, weights=None, **options).state_dict())


@pytest.fixture(scope="module")
def mobilenet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "some name.pth"
    torch.save(torchvision_state("mobilenet_v2"), path)
    return path


def test_a_file_gives_torchvisions_features(mobilenet_file: Path) -> None:
    network = build_network("mobilenet_v2", mobilenet_file)
    theirs = models.mobilenet_v2(weights=None)
    theirs.load_state_dict(torch.load(mobilenet_file, weights_only=True))
    images = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        expected = theirs.eval().features(images).flatten(1)
    assert torch.equal(network.features(images), expected)
    assert network.frozen and not any(parameter.is_meta for parameter in network.state_dict().values())


@pytest.mark.parametrize("name", ["resnet50", "inception_v3"])
def test_names_of_tensors_are_torchvisions(name: BackboneName, tmp_path: Path) -> None:
    state = torchvision_state(name)
    torch.save(state, tmp_path / "weights.pth")
    ours = build_network(name, tmp_path / "weights.pth").backbone.state_dict()
    classifier = BACKBONES[name].classifier
    assert set(state) - set(ours) == {key for key in state if key.startswith(classifier)}
    assert all(torch.equal(tensor, state[key]) for key, tensor in ours.items())


def test_the_classifier_may_be_missing(tmp_path: Path) -> None:
    # VGG19's classifier is 500 MB of its 570: nobody should need it.
    with torch.device("meta"):
        features = models.vgg19(weights=None).features
    state = {f"features.{key}": torch.zeros(tensor.shape) for key, tensor in features.state_dict().items()}
    torch.save(state, tmp_path / "weights.pth")
    network = build_network("vgg19", tmp_path / "weights.pth")
    assert tuple(network(torch.zeros(1, 3, 64, 64)).shape) == (1, 1)


def test_half_precision_is_widened_and_old_files_lack_counters(mobilenet_file: Path, tmp_path: Path) -> None:
    state = torch.load(mobilenet_file, weights_only=True)
    state = {key: tensor.half() for key, tensor in state.items() if not key.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "old.pth")
    network = build_network("mobilenet_v2", tmp_path / "old.pth")
    assert {tensor.dtype for tensor in network.parameters()} == {torch.float32}
    assert not any(tensor.is_meta for tensor in network.buffers())


def test_weights_of_another_network(mobilenet_file: Path) -> None:
    with pytest.raises(WeightsError, match=f"holds mobilenet_v2's weights, not resnet50's; give .*{WAY_OUT}") as caught:
        build_network("resnet50", mobilenet_file)
    assert str(caught.value).startswith(f"{mobilenet_file}: ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("lack", r"is not torchvision's mobilenet_v2 \(lacks features\.0\.0\.weight\)"),
        ("shape", r"\(has another shape of features\.0\.0\.weight\)"),
        ("extra", r"\(has the unknown surprise and 1 more\)"),
    ],
)
def test_weights_that_nearly_fit(mobilenet_file: Path, tmp_path: Path, change: str, message: str) -> None:
    state = torch.load(mobilenet_file, weights_only=True)
    if change == "lack":
        del state["features.0.0.weight"]
    elif change == "shape":
        state["features.0.0.weight"] = torch.zeros(1)
    else:
        state |= {"surprise": torch.zeros(1), "more": torch.zeros(1)}
    torch.save(state, tmp_path / "near.pth")
    with pytest.raises(WeightsError, match=f"{message}; give .*{WAY_OUT}"):
        build_network("mobilenet_v2", tmp_path / "near.pth")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a file of weights"),
        (b"\x00 no weights at all \n" * 20, "not a file of weights"),
        ([1, 2], r"not a file of weights \(no plain table of tensors\)"),
        ({"epoch": 3}, r"not a file of weights \(no plain table of tensors\)"),
        ({}, r"is not torchvision's vgg19 \(lacks features\.0\.weight and 31 more\)"),
    ],
)
def test_no_file_of_weights(tmp_path: Path, content: object, message: str) -> None:
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(WeightsError, match=f"{message}.*{WAY_OUT}") as caught:
        build_network("vgg19", path)
    assert "\n" not in str(caught.value)


def test_a_cut_short_file(mobilenet_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.pth"
    path.write_bytes(mobilenet_file.read_bytes()[:1_000_000])
    with pytest.raises(WeightsError, match=f"not a file of weights .*{WAY_OUT}"):
        build_network("mobilenet_v2", path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=f"no such file; give torchvision's resnet50-0676ba61.pth {WAY_OUT}"):
        build_network("resnet50", tmp_path / "none.pth")


@pytest.mark.parametrize("error", [urllib.error.URLError("no route to host"), RuntimeError("invalid hash value")])
def test_a_download_that_fails(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    match = rf"^https://\S+/resnet50-0676ba61\.pth: cannot be had \(.*(no route|invalid hash).*\); give .*{WAY_OUT}"
    with pytest.raises(WeightsError, match=match):
        build_network("resnet50")


def test_a_download_keeps_standard_output_clean(
    mobilenet_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, bool]] = []

    def answer(url: str, *, check_hash: bool, **_: object) -> Any:
        asked.append((url, check_hash))
        sys.stdout.write("Downloading …\n")
        return torch.load(mobilenet_file, weights_only=True)

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", answer)
    assert build_network("mobilenet_v2").frozen
    assert asked == [("https://download.pytorch.org/models/mobilenet_v2-b0353104.pth", True)]
    captured = capsys.readouterr()
    assert captured.out == "" and "Downloading" in captured.err


def test_the_named_files_are_torchvisions() -> None:
    for name, spec in BACKBONES.items():
        weights = models.get_weight(spec.weights)
        assert weights.url.rsplit("/", 1)[1] == spec.file
        transforms = weights.transforms()
        if name != "inception_v3":
            assert (tuple(transforms.mean), tuple(transforms.std)) == (spec.mean, spec.std)
