"""The report: a section as a table for people, the whole with its machine as one ``maskdet-benchmark/1`` object."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from maskdet.benchmark.section import Column, Row, Section
from maskdet.terminal.console import cell, console

if TYPE_CHECKING:
    from rich.table import Table

#: Packages whose version decides how fast something is.
PACKAGES = ("maskdet", "onnxruntime", "openvino", "torch", "ultralytics", "opencv-python", "numpy")


@dataclass(frozen=True, slots=True)
class Machine:
    """A computer, and what else it was doing.

    Attributes:
        memory_gb: in 10⁹ bytes, None where the system does not say.
        load: processes that ran or waited on average over the minute before, None where the system does not say.
            Above 0 the figures are those of a shared machine: trust the ratios, not the times.
    """

    processor: str
    cores: int
    memory_gb: float | None
    system: str
    python: str
    load: float | None
    packages: dict[str, str | None]

    @property
    def title(self) -> str:
        """One line for people.

        >>> Machine("Z80", 1, 0.064, "CP/M", "3.11.7", 0.5, {}).title
        'Z80, 1 core, 0.1 GB, CP/M, Python 3.11.7, load 0.5 before'
        """
        parts = [self.processor, f"{self.cores} core{'' if self.cores == 1 else 's'}"]
        if self.memory_gb is not None:
            parts.append(f"{self.memory_gb:.1f} GB")
        parts += [self.system, f"Python {self.python}"]
        if self.load is not None:
            parts.append(f"load {self.load:.1f} before")
        return ", ".join(parts)


def this_machine() -> Machine:
    """Describe the machine that runs this."""
    from maskdet.sessions.processor import usable_cores

    return Machine(
        processor=processor_name(),
        cores=usable_cores(),
        memory_gb=_memory_gb(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        packages={name: _version(name) for name in PACKAGES},
    )


def processor_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name: from Linux' list, else what the platform says, else the architecture."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in {"model name", "Model"} and value.strip():
            return " ".join(value.split())
    return platform.processor() or platform.machine() or "unknown processor"


def _memory_gb() -> float | None:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return round(size / 1e9, 1)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def print_section(section: Section, machine: Machine) -> None:
    """Print the machine, the table and its notes."""
    screen = console()
    screen.print(cell(machine.title), style="dim")
    screen.print(section_table(section))
    for row in section.rows:
        if row.note and not _is_short(row.note):
            screen.print(f"{row.name}: {cell(row.note)}")
    for note in section.notes:
        screen.print(cell(note), style="dim")
    screen.print()


def section_table(section: Section) -> Table:
    """Return the table: a line a row, a column a figure, with the target in the heading."""
    from rich.table import Table

    table = Table(title=cell(section.title), title_justify="left", title_style="bold")
    table.add_column("", no_wrap=True)
    for column in section.columns:
        target = f"\ntarget {column.target}" if column.target else ""
        table.add_column(column.heading + target, justify="right")
    for row in section.rows:
        table.add_row(row.name, *cells(row, section.columns))
    return table


def cells(row: Row, columns: tuple[Column, ...]) -> list[str]:
    """Return the cells of a row: each figure with its column's decimals, a dash where there is none.

    >>> cells(Row("a", {"s": 2.345}), (Column("s", "s", 1), Column("mb", "MB")))
    ['2.3', '–']
    >>> cells(Row("a", note="not installed"), (Column("s", "s"), Column("mb", "MB")))
    ['not installed', '–']
    """
    if row.note:
        return [row.note if _is_short(row.note) else "failed", *("–" for _ in columns[1:])]
    values = ((row.figures.get(column.key), column.decimals) for column in columns)
    return ["–" if value is None else f"{value:,.{decimals}f}" for value, decimals in values]


def _is_short(note: str) -> bool:
    return len(note) <= 20


SCHEMA: Final = "maskdet-benchmark/1"


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """What a benchmark found, and the command that makes it again; figures are medians over the runs."""

    command: str
    machine: Machine
    runs: int
    sections: Sequence[Section]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "machine": asdict(self.machine),
            "runs": self.runs,
            "sections": [section.to_dict() for section in self.sections],
        }
