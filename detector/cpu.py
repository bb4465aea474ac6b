"""What a processor can do: its cores, how pictures share them, and whether it multiplies bfloat16 in hardware."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

#: Runs at once at most: each holds the activations of its own picture.
MAX_WORKERS: Final = 8


def usable_cores() -> int:
    """Return the cores this process may use, which in a container can be fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_each(cores: int | None = None) -> int:
    """Return the threads that one picture gets where many are looked at side by side.

    One thread a picture keeps every core busy: threads that share a picture wait for each other after every layer.

    >>> [threads_each(cores) for cores in (1, 2, 8, 64)]
    [1, 1, 1, 8]
    """
    cores = usable_cores() if cores is None else cores
    return max(cores // MAX_WORKERS, 1)


def runs_at_once(threads: int, cores: int | None = None) -> int:
    """Return how many runs of so many threads each keep the processor busy; 0 threads stands for all.

    >>> [runs_at_once(threads, 8) for threads in (0, 1, 3, 8, 16)]
    [1, 8, 2, 1, 1]
    """
    cores = usable_cores() if cores is None else cores
    return 1 if threads == 0 else min(max(cores // threads, 1), MAX_WORKERS)


def has_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor has bfloat16 matrix instructions (AVX512_BF16 or AMX).

    Without them bfloat16 is emulated and several times slower than float32. Known on Linux only; False elsewhere.
    """
    try:
        text = cpuinfo.read_text(encoding="utf-8")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return bool({"avx512_bf16", "amx_bf16"} & set(flags.split()))
