"""``CalibratedNet``: pixels in, honest probabilities out. Imports torch, so it is itself imported only where used."""

from __future__ import annotations

import torch
from torch import nn


class CalibratedNet(nn.Module):  # type: ignore[misc]
    """A trained classifier with what stands before and after it: normalisation, temperature and softmax.

    Attributes:
        network: (N, 3, side, side) float32 normalised RGB → (N, classes) float32 logits.
        temperature: divides the logits.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        temperature: float,
    ) -> None:
        """Put them together; ``mean`` and ``std`` of R, G, B on the scale 0 … 1."""
        super().__init__()
        self.network = network
        self.temperature = temperature
        self.register_buffer("scale", 1 / torch.tensor(std).view(1, 3, 1, 1))
        self.register_buffer("shift", -torch.tensor(mean).view(1, 3, 1, 1) * self.scale)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, classes) float32 probabilities of (N, 3, side, side) float32 RGB images in 0 … 1."""
        logits = self.network(images * self.scale + self.shift)
        return torch.softmax(logits / self.temperature, dim=1)
