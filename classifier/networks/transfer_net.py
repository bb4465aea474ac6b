"""``TransferNet``: a backbone and a head. Imports torch, so it is itself imported only where a network is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from typing import Self


class TransferNet(nn.Module):  # type: ignore[misc]
    """Features from a backbone, frozen or not, and dense layers that classify them.

    Attributes:
        backbone: (N, 3, side, side) float32 → (N, features) float32.
        head: (N, features) float32 → (N, 1) float32 logits.
        frozen: the backbone is not trained. Then ``features`` gives the same for the same image, whatever was trained
            meanwhile, and may be computed once and kept.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module, *, frozen: bool) -> None:
        """Put both together; ``frozen`` also switches off the backbone's gradients."""
        super().__init__()
        self.backbone = backbone.requires_grad_(not frozen)
        self.head = head
        self.frozen = frozen
        self.train()

    def train(self, mode: bool = True) -> Self:
        """Switch to training or evaluation; a frozen backbone stays in evaluation.

        As in Keras, where a frozen BatchNorm normalises with its stored statistics and leaves them alone.
        """
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, features) float32 of (N, 3, side, side) float32 images; without gradients if frozen."""
        if not self.frozen:
            return self.backbone(images)
        with torch.no_grad():
            return self.backbone(images)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (N, 1) float32 logits of (N, 3, side, side) float32 images."""
        return self.head(self.features(images))
