from __future__ import annotations

import subprocess
import sys

import pytest

from maskdet.weights import default_model

pytest.importorskip("openvino")

# Each round in a process of its own: what could be waited for is filled once a process.
FIRST_CALLS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from pathlib import Path
import numpy as np
from maskdet.sessions.openvino_session import OpenVinoSession

session = OpenVinoSession(Path(sys.argv[1]), device="cpu", threads=1)
start = Barrier(2)

def first(_):
    start.wait()
    return session(np.zeros((1, 3, 64, 64), np.float32)).shape

with ThreadPoolExecutor(2) as pool:
    print(list(pool.map(first, range(2))))
"""


def test_first_calls_of_two_threads_at_once_both_end() -> None:
    for _ in range(3):
        ended = subprocess.run(
            [sys.executable, "-c", FIRST_CALLS, str(default_model().path)],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        assert ended.stdout.strip() == "[(1, 7, 84), (1, 7, 84)]"
