"""The networks of the study in numbers: our parameters beside those it prints, and why the two differ.

Keras counts the running mean and variance of BatchNorm as parameters, torch keeps them as buffers. Besides, ResNet50 of
Keras has convolution biases, which torchvision leaves to the BatchNorm behind; and its InceptionV3 has no BatchNorm
scales.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from maskdet.classifier.networks.specs import BACKBONES, STUDY_NETWORKS, NetworkSpec, find_network
from maskdet.extras import require
from maskdet.terminal.console import console
from maskdet.terminal.report_table import report_table

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterRow:
    """One network: parameters as torch counts them, what only Keras counts, and what the study prints.

    ``conv_biases`` are those that only Keras' network has, ``scales`` those of BatchNorm that only ours has.
    """

    name: str
    title: str
    input: str
    total: int
    trainable: int
    running_statistics: int
    conv_biases: int
    scales: int
    printed_total: int
    printed_trainable: int

    @property
    def keras_total(self) -> int:
        """What Keras prints for our network."""
        return self.total + self.running_statistics + self.conv_biases - self.scales

    @property
    def explanation(self) -> str:
        """Why ``total`` and ``printed_total`` differ, as a sum; empty where they do not."""
        terms = [
            (" + ", self.running_statistics, "running statistics of BatchNorm"),
            (" + ", self.conv_biases, "convolution biases of Keras' version"),
            (" − ", self.scales, "BatchNorm scales that Keras' version lacks"),
        ]
        parts = [f"{sign}{count:,} {what}" for sign, count, what in terms if count]
        return f"{self.total:,}{''.join(parts)} = {self.keras_total:,}" if parts else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the row for JSON or CSV, derived columns included."""
        return asdict(self) | {"keras_total": self.keras_total, "explanation": self.explanation}


def parameter_table(names: Iterable[str] = tuple(STUDY_NETWORKS)) -> list[ParameterRow]:
    """Return a row for each network; no weights are made, loaded or downloaded.

    Raises:
        MissingExtraError: torch and torchvision are not installed.
        MaskdetError: there is no network of that name.
    """
    return [_row(find_network(name)) for name in names]


def count_parameters(module: nn.Module) -> tuple[int, int]:
    """Return how many parameters a module has, and how many of them are trained."""
    counts = [(parameter.numel(), parameter.requires_grad) for parameter in module.parameters()]
    return sum(count for count, _ in counts), sum(count for count, trained in counts if trained)


def _row(spec: NetworkSpec) -> ParameterRow:
    for module in ("torch", "torchvision"):
        require(module, what="the crop study", extra="train")
    from torch import nn

    from maskdet.classifier.networks.build import build_on_meta

    network = build_on_meta(spec.name)
    total, trainable = count_parameters(network)
    running = biases = scales = 0
    if spec.backbone is not None:
        keras = BACKBONES[spec.backbone]
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                running += layer.running_mean.numel() + layer.running_var.numel()
                scales += layer.weight.numel() if keras.keras_no_scales else 0
            elif isinstance(layer, nn.Conv2d) and layer.bias is None and keras.keras_conv_biases:
                biases += layer.out_channels
    return ParameterRow(
        name=spec.name,
        title=spec.title,
        input=f"{spec.side}×{spec.side}×3",
        total=total,
        trainable=trainable,
        running_statistics=running,
        conv_biases=biases,
        scales=scales,
        printed_total=spec.printed_total,
        printed_trainable=spec.printed_trainable,
    )


def print_parameters(rows: Sequence[ParameterRow]) -> None:
    """Print name, input and parameters of each network, and why Keras counts otherwise."""
    table = report_table()
    table.add_column("network", no_wrap=True)
    table.add_column("input", no_wrap=True)
    for label in ("parameters", "trainable", "as Keras counts", "printed"):
        table.add_column(label, justify="right")
    for row in rows:
        counts = (row.total, row.trainable, row.keras_total, row.printed_total)
        table.add_row(row.name, row.input, *(f"{count:,}" for count in counts))
    screen = console()
    screen.print(table)
    for row in rows:
        if row.explanation:
            screen.print(f"{row.name}: {row.explanation}", markup=False, highlight=False)
