"""The whole report as one ``maskdet-benchmark/1`` object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from maskdet.benchmark.machine import Machine
from maskdet.benchmark.section import Section

SCHEMA: Final = "maskdet-benchmark/1"


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """What a benchmark found.

    Attributes:
        command: that makes it again.
        machine: what it ran on.
        runs: rounds; figures are medians over them.
        sections: in the order they were run.
    """

    command: str
    machine: Machine
    runs: int
    sections: Sequence[Section]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "machine": self.machine.to_dict(),
            "runs": self.runs,
            "sections": [section.to_dict() for section in self.sections],
        }
