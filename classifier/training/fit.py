"""Training one network: epochs, early stopping, checkpoints. Imports torch.

Probabilities and cross-entropy are alike for one logit of two classes and one logit a class; what a crop counts
depends on its class.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from maskdet.classifier.training.batches import SCORE_BATCH, Batches, slices
from maskdet.classifier.training.checkpoint import TrainingState
from maskdet.classifier.training.recipe import Recipe
from maskdet.classifier.training.run import Epoch
from maskdet.sessions.processor import has_bf16
from maskdet.terminal.console import say
from maskdet.terminal.progress import track


def to_probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Return (n, C) probabilities of (n, 1) or (n, C) logits; a single logit is that of class 1 of two.

    >>> to_probabilities(torch.zeros(1, 1)).tolist()
    [[0.5, 0.5]]
    """
    if logits.shape[1] > 1:
        return logits.softmax(dim=1)
    return torch.cat([(-logits).sigmoid(), logits.sigmoid()], dim=1)


def cross_entropy(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None = None, smoothing: float = 0.0
) -> torch.Tensor:
    """Return the mean cross-entropy in nats of (n, 1) or (n, C) logits, a scalar.

    ``weights``, (C,), are what a crop of each class counts; the mean is over crops, not over weights. ``smoothing`` is
    the share of each label's weight spread evenly over all classes (Szegedy et al. 2016).
    """
    if logits.shape[1] == 1:
        wanted = labels.to(logits.dtype) * (1 - smoothing) + smoothing / 2
        costs = functional.binary_cross_entropy_with_logits(logits[:, 0], wanted, reduction="none")
    else:
        costs = functional.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
    if weights is not None:
        costs = costs * weights[labels]
    return costs.mean()


@dataclass(frozen=True, slots=True)
class FitOptions:
    """What a training needs beside network, data and recipe.

    Attributes:
        seed: of the order of crops, their changes and dropout.
        class_weights: what a crop of each class counts; empty for all alike.
        checkpoint: written after each epoch, and resumed from where it is there; None for none.
        device: torch's name of it.
        report: is given each finished epoch.
        bf16: multiply in bfloat16 while training, see ``gains_by_bf16``; weights, losses and scores stay float32.
        keep_last: leave the last epoch's weights in the network, as Keras does, not the best one's.
    """

    seed: int = 0
    class_weights: tuple[float, ...] = ()
    checkpoint: Path | None = None
    device: str = "cpu"
    label: str = "training"
    report: Callable[[Epoch], None] | None = None
    quiet: bool = False
    bf16: bool = False
    keep_last: bool = False


def gains_by_bf16(module: nn.Module, device: str) -> bool:
    """Whether a network trains faster in bfloat16: on a processor that multiplies in it, and of whole convolutions.

    Of CNN-A to InceptionV3 a step takes 0.5 to 0.7 of the time, of MobileNetV2 1.2 (one thread, Zen 4).
    """
    groups = [one.groups for one in module.modules() if isinstance(one, nn.Conv2d)]
    return device == "cpu" and has_bf16() and set(groups) == {1}


def fit(
    module: nn.Module,
    batches: Batches,
    train: NDArray[np.int64],
    dev: NDArray[np.int64],
    recipe: Recipe,
    options: FitOptions,
) -> tuple[tuple[Epoch, ...], int]:
    """Train a network and leave its best weights, those of the lowest dev loss, in it (see ``keep_last``).

    Order and changes of the crops depend on seed and epoch alone: a run that is resumed sees what one that was never
    broken off would have seen. ``train`` and ``dev`` are indices; dev is scored after each epoch.

    Returns:
        Every epoch, and the number of the best.

    Raises:
        WeightsError: the checkpoint is damaged, or of another training.
    """
    state = TrainingState(module.to(options.device), recipe, len(train), options.seed)
    if options.checkpoint is not None and options.checkpoint.exists():
        state.load(options.checkpoint)
    while not state.finished:
        start = time.perf_counter()
        number = len(state.epochs) + 1
        with flushed_denormals():
            loss, error = _train_epoch(state, batches, train, number, options)
        dev_loss, dev_error = score(state.kept, batches, dev, options.device)
        epoch = Epoch(number, time.perf_counter() - start, loss, error, dev_loss, dev_error)
        state.finish(epoch)
        if options.checkpoint is not None:
            state.save(options.checkpoint)
        if options.report is not None:
            options.report(epoch)
    if state.stopped_early and not options.quiet:
        done = len(state.epochs)
        say(
            f"{options.label}: early stopping after epoch {done} of {recipe.epochs}: dev loss has not become lower for "
            f"{recipe.patience} epochs; kept: epoch {done if options.keep_last else state.best_epoch}"
        )
    if not options.keep_last:
        module.load_state_dict(state.best)
    module.eval()
    return tuple(state.epochs), state.best_epoch


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Take denormal numbers for zero in this thread.

    Adam's moments of dead units decay into them, and a processor is several times as long over one.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _train_epoch(
    state: TrainingState, batches: Batches, train: NDArray[np.int64], number: int, options: FitOptions
) -> tuple[float, float]:
    """Train one epoch; return mean loss and error meanwhile."""
    recipe, device = state.recipe, options.device
    rng = np.random.default_rng((options.seed, number))
    torch.manual_seed(options.seed * 1000 + number)
    weights = torch.tensor(options.class_weights, device=device) if options.class_weights else None
    order = list(slices(rng.permutation(train), recipe.batch))
    if len(order) > 1 and len(order[-1]) == 1 < recipe.batch:
        order.pop()  # BatchNorm has nothing to average over in a batch of one
    state.module.train()
    loss, wrong, seen = 0.0, 0, 0
    for step, piece in enumerate(track(order, label=f"{options.label}, epoch {number}", quiet=options.quiet)):
        inputs, labels = batches.train(piece, rng)
        inputs, labels = inputs.to(device), labels.to(device)
        done = (number - 1 + (step + 1) / len(order)) / recipe.epochs
        with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=options.bf16):
            logits = state.module(inputs)
        logits = logits.float()
        cost = cross_entropy(logits, labels, weights, recipe.label_smoothing)
        cost.backward()
        state.step(recipe.rate(done, 0.5 / recipe.epochs))
        loss += float(cost.detach()) * len(piece)
        wrong += int((to_probabilities(logits.detach()).argmax(dim=1) != labels).sum())
        seen += len(piece)
    return loss / seen, wrong / seen


def score(module: nn.Module, batches: Batches, indices: NDArray[np.int64], device: str = "cpu") -> tuple[float, float]:
    """Return mean cross-entropy in nats and share of wrong answers, 0 to 1."""
    probabilities, labels = predict(module, batches, indices, device)
    right = probabilities[np.arange(len(labels)), labels]
    loss = float(-np.log(np.maximum(right, 1e-12)).mean())
    return loss, float((probabilities.argmax(axis=1) != labels).mean())


def predict(
    module: nn.Module, batches: Batches, indices: NDArray[np.int64], device: str = "cpu"
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return (n, C) float64 probabilities and (n,) int64 labels, without changing the module."""
    was_training = module.training
    module.eval()
    found, known = [], []
    with torch.inference_mode():
        for piece in slices(indices, SCORE_BATCH):
            inputs, labels = batches.plain(piece)
            found.append(to_probabilities(module(inputs.to(device)).double()).cpu().numpy())
            known.append(labels.numpy())
    module.train(was_training)
    return np.concatenate(found), np.concatenate(known)


def class_weights(class_ids: NDArray[np.int64], power: float, classes: int) -> tuple[float, ...]:
    """Return each class's weight: its number of crops to the power of minus ``power``, 1 on average over crops.

    Args:
        class_ids: (N,) int64.
        power: 0 counts all crops alike and gives an empty tuple; 1 gives every class the same sum.
        classes: number of classes.

    >>> class_weights(np.array([0, 0, 0, 0, 1]), 1.0, 2)
    (0.625, 2.5)
    """
    if not power:
        return ()
    counts = np.bincount(class_ids, minlength=classes)[:classes]
    weights = np.maximum(counts, 1) ** -power
    return tuple((weights * counts.sum() / (weights * counts).sum()).tolist())
