"""What a processor can do for training: its cores, and whether it multiplies bfloat16 in hardware."""

from __future__ import annotations

import os
from pathlib import Path


def usable_cores() -> int:
    """Return the cores this process may use, which in a container can be fewer than the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
