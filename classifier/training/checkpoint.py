"""Where a training stands: weights, optimiser, epochs so far, the best weights; and its checkpoint. Imports torch."""

from __future__ import annotations

import copy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from maskdet.classifier.training.recipe import Recipe
from maskdet.classifier.training.run import Epoch
from maskdet.errors import WeightsError
from maskdet.files.atomic import whole_file

#: Keras' Adam; torch's own is 1e-8.
_EPSILON = 1e-7


class TrainingState:
    """A training between two steps; scored and kept is the module or its averaged copy, the best on the CPU."""

    def __init__(self, module: nn.Module, recipe: Recipe, crops: int, seed: int) -> None:
        """Start before the first epoch; the number of training crops and the seed tell one training from another."""
        self.module, self.recipe = module, recipe
        self.kept = copy.deepcopy(module) if recipe.ema else module
        trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
        groups = [
            {"params": [one for one in trained if one.ndim > 1], "weight_decay": recipe.weight_decay},
            {"params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
        ]
        self._optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate, eps=_EPSILON, fused=True)
        self._identity = {"recipe": asdict(recipe), "crops": crops, "seed": seed}
        self._steps = 0
        self.epochs: list[Epoch] = []
        self.best: dict[str, Any] = {}
        self.best_epoch = 0

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or dev has not improved for long enough."""
        return len(self.epochs) >= self.recipe.epochs or self.stopped_early

    @property
    def stopped_early(self) -> bool:
        """Whether epochs are left, but dev loss has not become lower for as many as the patience."""
        done = len(self.epochs)
        return 0 < done < self.recipe.epochs and done - self.best_epoch >= self.recipe.patience

    def step(self, learning_rate: float) -> None:
        """Apply the gradients and clear them."""
        for group in self._optimiser.param_groups:
            group["lr"] = learning_rate
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self._steps += 1
        if self.recipe.ema:
            self._average()

    def _average(self) -> None:
        # Early on the average follows quickly: it must not hold on to the first weights.
        keep = min(self.recipe.ema, (1 + self._steps) / (10 + self._steps))
        with torch.no_grad():
            for mean, value in zip(self.kept.state_dict().values(), self.module.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(value, 1 - keep)
                else:
                    mean.copy_(value)

    def finish(self, epoch: Epoch) -> None:
        """Note a finished epoch, and keep its weights if it is the best."""
        best = min((one.dev_loss for one in self.epochs), default=float("inf"))
        self.epochs.append(epoch)
        if epoch.dev_loss < best or not self.best:
            self.best_epoch = epoch.number
            self.best = {key: value.detach().cpu().clone() for key, value in self.kept.state_dict().items()}

    def save(self, path: Path) -> None:
        """Write everything needed to go on, whole or not at all."""
        content = {
            "identity": self._identity,
            "module": self.module.state_dict(),
            "kept": self.kept.state_dict() if self.recipe.ema else {},
            "optimiser": self._optimiser.state_dict(),
            "steps": self._steps,
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "best": self.best,
            "best_epoch": self.best_epoch,
        }
        with whole_file(path) as file:
            torch.save(content, file)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            WeightsError: it is damaged, or of another training.
        """
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
            same = content["identity"] == self._identity
        except Exception as error:  # unpickling a damaged file can raise anything
            raise WeightsError(path, f"is no checkpoint ({type(error).__name__}): delete it to start anew") from error
        if not same:
            raise WeightsError(path, "is of a training with other settings: delete it to start anew")
        try:
            self.module.load_state_dict(content["module"])
            if self.recipe.ema:
                self.kept.load_state_dict(content["kept"])
            self._optimiser.load_state_dict(content["optimiser"])
        except (RuntimeError, ValueError, KeyError) as error:
            raise WeightsError(path, "is of another network: delete it to start anew") from error
        self._steps = content["steps"]
        self.epochs = [Epoch(**epoch) for epoch in content["epochs"]]
        self.best, self.best_epoch = content["best"], content["best_epoch"]
