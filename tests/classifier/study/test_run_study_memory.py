"""Keeping freed memory, in processes of its own: the setting lasts as long as the process."""

import platform
import subprocess
import sys

import pytest

#: Page faults while 64 MB are taken, written to and given back, the second time.
FAULTS = """
import resource, sys
import numpy as np
from maskdet.classifier.study.run_study import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(1 << 26, np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """Return the page faults of a fresh process."""
    return int(subprocess.run([sys.executable, "-c", FAULTS, how], check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's")
def test_freed_memory_is_not_faulted_in_again() -> None:
    assert faults("kept") < 100  # nothing anew but what Python itself needs


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is glibc's")
def test_otherwise_it_is() -> None:
    # 16,384 pages of 4 kB, or 32 of 2 MB where the kernel joins them
    assert faults("as it is") >= 32
