"""Memory of the C library's allocator, kept between training steps."""

from __future__ import annotations

import ctypes

# <malloc.h> of glibc.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Let freed memory stay with the process, for the rest of its life.

    glibc hands large blocks back to the kernel as soon as they are free, and the kernel zeroes each page anew when the
    next step asks for them: of CNN-C, whose gradient alone is 2 GB, that took nearly half of a step.

    Returns:
        Whether the allocator understood; elsewhere than on glibc nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no such function; no such library; Windows takes no None
        return False
    # In this order: without mapped blocks everything comes from the heap, and the heap is never trimmed.
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, -1))
