from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskdet.classifier.crops.crop_set import CropSet
from maskdet.classifier.training.fit import class_weights
from maskdet.classifier.training.recipe import Augment, Recipe
from maskdet.classifier.training.run import Epoch
from maskdet.errors import WeightsError

torch = pytest.importorskip("torch")

from maskdet.classifier.training import fit as fitting  # noqa: E402
from maskdet.classifier.training.batches import CropBatches  # noqa: E402
from maskdet.classifier.training.fit import (  # noqa: E402
    FitOptions,
    cross_entropy,
    fit,
    gains_by_bf16,
    predict,
    score,
    to_probabilities,
)

RECIPE = Recipe(learning_rate=1e-2, batch=8, epochs=4, patience=4, augment=Augment(flip=0.5, shift=0.1))


def tiny(outputs: int = 1) -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, outputs))


def halves(crops: CropSet, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    members = np.random.default_rng(0).permutation(np.flatnonzero(crops.class_ids < classes))
    return members[::2], members[1::2]


def test_it_learns_what_can_be_learnt(many_faces: CropSet) -> None:
    for outputs, classes in ((1, 2), (3, 3)):
        net, (train, dev) = tiny(outputs), halves(many_faces, classes)
        batches = CropBatches(many_faces, 8, replace(RECIPE, epochs=12, patience=12))
        epochs, best = fit(net, batches, train, dev, batches.recipe, FitOptions(quiet=True))
        assert score(net, batches, dev)[1] == epochs[best - 1].dev_error
        assert epochs[best - 1].dev_error <= 0.02
        assert epochs[best - 1].dev_loss == min(epoch.dev_loss for epoch in epochs)


def test_denormal_numbers_are_zero_while_it_trains_and_only_then(many_faces: CropSet) -> None:
    class Watched(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.add((self.training, float(torch.tensor(1e-39) * 1) > 0))
            return super().forward(x.flatten(1))

    seen: set[tuple[bool, bool]] = set()
    batches = CropBatches(many_faces, 8, RECIPE)
    fit(Watched(3 * 8 * 8, 1), batches, *halves(many_faces), RECIPE, FitOptions(quiet=True))
    assert seen == {(True, False), (False, True)}


def test_bfloat16_learns_the_same_and_leaves_float32(many_faces: CropSet, monkeypatch: pytest.MonkeyPatch) -> None:
    train, dev = halves(many_faces)
    batches = CropBatches(many_faces, 8, replace(RECIPE, epochs=12, patience=12))
    net = tiny()
    epochs, best = fit(net, batches, train, dev, batches.recipe, FitOptions(quiet=True, bf16=True))
    assert epochs[best - 1].dev_error <= 0.02
    assert {value.dtype for value in net.state_dict().values()} == {torch.float32}
    monkeypatch.setattr(fitting, "has_bf16", lambda: True)
    whole, depthwise = torch.nn.Conv2d(4, 4, 1), torch.nn.Conv2d(4, 4, 1, groups=4)
    assert gains_by_bf16(torch.nn.Sequential(whole), "cpu")
    assert not gains_by_bf16(torch.nn.Sequential(whole, depthwise), "cpu")
    assert not gains_by_bf16(net, "cpu") and not gains_by_bf16(whole, "cuda:0")


def test_a_resumed_training_ends_as_one_never_broken_off(many_faces: CropSet, tmp_path: Path) -> None:
    train, dev = halves(many_faces)
    recipe = replace(RECIPE, ema=0.9, schedule="cosine")
    batches = CropBatches(many_faces, 8, recipe)
    whole = tiny()
    epochs, best = fit(whole, batches, train, dev, recipe, FitOptions(quiet=True))

    class StopError(Exception):
        pass

    def stop(epoch: Epoch) -> None:
        if epoch.number == 2:
            raise StopError

    path = tmp_path / "run" / "checkpoint.pt"
    with pytest.raises(StopError):
        fit(tiny(), batches, train, dev, recipe, FitOptions(checkpoint=path, report=stop, quiet=True))
    resumed = tiny()
    torch.nn.init.zeros_(resumed[1].weight)  # what it starts from must not matter
    again, best_again = fit(resumed, batches, train, dev, recipe, FitOptions(checkpoint=path, quiet=True))
    assert [replace(epoch, seconds=0) for epoch in again] == [replace(epoch, seconds=0) for epoch in epochs]
    assert best_again == best
    assert torch.equal(resumed[1].weight, whole[1].weight)


def test_a_checkpoint_of_something_else_is_one_line(many_faces: CropSet, tmp_path: Path) -> None:
    train, dev = halves(many_faces)
    batches = CropBatches(many_faces, 8, RECIPE)
    path = tmp_path / "checkpoint.pt"
    options = FitOptions(checkpoint=path, quiet=True)
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(WeightsError, match="is no checkpoint"):
        fit(tiny(), batches, train, dev, RECIPE, options)
    path.unlink()
    fit(tiny(), batches, train, dev, RECIPE, options)
    with pytest.raises(WeightsError, match="other settings"):
        fit(tiny(), batches, train, dev, replace(RECIPE, learning_rate=0.5), options)
    with pytest.raises(WeightsError, match="another network"):
        fit(tiny(3), batches, train, dev, RECIPE, options)


def test_training_ends_when_dev_gets_no_better(many_faces: CropSet) -> None:
    train, dev = halves(many_faces)
    recipe = replace(RECIPE, learning_rate=0.0, epochs=50, patience=3)
    epochs, best = fit(tiny(), CropBatches(many_faces, 8, recipe), train, dev, recipe, FitOptions(quiet=True))
    assert (len(epochs), best) == (4, 1)


def test_the_last_weights_can_be_kept(many_faces: CropSet) -> None:
    train, dev = halves(many_faces)
    recipe = replace(RECIPE, learning_rate=30.0, epochs=2)
    batches = CropBatches(many_faces, 8, recipe)
    net = tiny()
    epochs, _ = fit(net, batches, train, dev, recipe, FitOptions(keep_last=True, quiet=True))
    assert score(net, batches, dev)[0] == pytest.approx(epochs[-1].dev_loss)


def test_predictions_leave_the_network_as_it_was(many_faces: CropSet) -> None:
    net = tiny().train()
    probabilities, labels = predict(net, CropBatches(many_faces, 8, RECIPE), np.array([0, 1, 2]))
    assert net.training
    assert labels.tolist() == [0, 1, 2]
    assert np.allclose(probabilities.sum(axis=1), 1)


def test_a_batch_is_rgb_on_the_asked_scale(many_faces: CropSet) -> None:
    plain = CropBatches(many_faces, 8, Recipe())
    scaled = CropBatches(many_faces, 8, Recipe(), mean=(0.5, 0.25, 0.0), std=(0.5, 0.5, 2.0))
    images, labels = plain.plain(np.array([0, 1]))
    expected = many_faces.cut(0, Recipe().crops, 8)[..., ::-1].transpose(2, 0, 1) / 255
    assert np.allclose(images[0].numpy(), expected)
    assert labels.tolist() == [0, 1]
    other = scaled.plain(np.array([0]))[0][0]
    for channel, (mean, std) in enumerate([(0.5, 0.5), (0.25, 0.5), (0.0, 2.0)]):
        assert np.allclose(other[channel].numpy(), (expected[channel] - mean) / std, atol=1e-6)


def test_cross_entropy_by_hand() -> None:
    # A logit of ln 3 says ¾; two logits (0, ln 3) say the same.
    one, two = torch.tensor([[math.log(3)]]), torch.tensor([[0.0, math.log(3)]])
    for logits in (one, two):
        assert to_probabilities(logits).tolist() == [pytest.approx([0.25, 0.75])]
        for label, probability in ((1, 0.75), (0, 0.25)):
            assert float(cross_entropy(logits, torch.tensor([label]))) == pytest.approx(-math.log(probability))
        # Smoothed by 0.2, the label 1 weighs 0.9 and the other 0.1.
        smooth = float(cross_entropy(logits, torch.tensor([1]), smoothing=0.2))
        assert smooth == pytest.approx(-0.9 * math.log(0.75) - 0.1 * math.log(0.25))
        weighted = float(cross_entropy(logits, torch.tensor([1]), torch.tensor([1.0, 3.0])))
        assert weighted == pytest.approx(-3 * math.log(0.75))


def test_class_weights_by_hand() -> None:
    ids = np.array([0] * 9 + [1])
    assert class_weights(ids, 0.0, 2) == ()
    # 9 and 1 to the power of −½ are ⅓ and 1; on average over crops (9 · ⅓ + 1) / 10 = 0.4.
    assert class_weights(ids, 0.5, 2) == pytest.approx((1 / 3 / 0.4, 1 / 0.4))


def test_early_stopping_says_so(many_faces: CropSet, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A rate far too high for a lower dev loss after the first epoch; what was kept is the first epoch's."""
    train, dev = halves(many_faces)
    recipe = replace(RECIPE, learning_rate=1e3, epochs=9, patience=2)
    batches = CropBatches(many_faces, 8, recipe)
    options = FitOptions(label="tiny", checkpoint=tmp_path / "checkpoint.pt")
    epochs, best = fit(tiny(), batches, train, dev, recipe, options)
    assert best == min(epochs, key=lambda epoch: epoch.dev_loss).number == len(epochs) - 2
    assert len(epochs) < 9
    said = f"tiny: early stopping after epoch {len(epochs)} of 9: dev loss has not become lower for 2 epochs; kept: "
    assert f"{said}epoch {best}\n" in capsys.readouterr().err
    # All epochs done is no early stopping, also where the last ones brought nothing.
    whole = replace(recipe, epochs=len(epochs))
    fit(tiny(), batches, train, dev, whole, replace(options, checkpoint=None))
    assert "early stopping" not in capsys.readouterr().err
