"""What a processor can do: its cores, how pictures share them, and whether it multiplies bfloat16 in hardware."""

from __future__ import annotations

import math
import os
from functools import cache
from pathlib import Path
from typing import Final

#: Runs at once at most: each holds the activations of its own picture.
MAX_WORKERS: Final = 8


def usable_cores() -> int:
    """Return the cores that this process may use, with a quota too; all counts of threads start here."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _own_quota()
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def run_threads() -> int:
    """Return the threads of a run that has the processor to itself: one a core, hyper-threads counted once."""
    return min(usable_cores(), _whole_cores())


@cache
def _own_quota() -> float | None:
    return cgroup_quota()


def cgroup_quota(groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return how many cores' worth of time the process's control groups allow, None where there is no limit.

    Of version 2 (``cpu.max``) and version 1 (``cpu.cfs_quota_us``), the least of the group's and those above it. In a
    container the group's own path may not be there: then what is mounted stands for it.
    """
    found: list[float] = []
    try:
        lines = groups.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        inside = Path(path.lstrip("/"))
        mounts = [root / controllers, root / "cpu"] if controllers else [root, root / "unified"]
        for mount in mounts:
            for folder in (inside, *inside.parents):
                if ".." not in folder.parts:
                    found += _quota_of(mount / folder)
    return min(found, default=None)


def _quota_of(folder: Path) -> list[float]:
    """Return the limit that a group's own files set, if they set one."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()[:2]
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text(encoding="utf-8").strip()
            period = (folder / "cpu.cfs_period_us").read_text(encoding="utf-8").strip()
        return [int(quota) / int(period)] if quota != "max" and int(quota) > 0 else []
    except (OSError, ValueError, ZeroDivisionError):
        return []


@cache
def _whole_cores() -> int:
    """Return the cores that this process may use, those that share one counted once."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    allowed = os.sched_getaffinity(0)
    siblings = Path("/sys/devices/system/cpu")
    try:
        return len({(siblings / f"cpu{cpu}/topology/thread_siblings_list").read_text("utf-8") for cpu in allowed})
    except OSError:
        return len(allowed)


def threads_each(cores: int | None = None) -> int:
    """Return the threads that one picture gets where many are looked at side by side.

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
