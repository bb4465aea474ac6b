"""What runs in each process of a ``ProcessPool``."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable
from typing import Any

from maskdet.errors import MaskdetError


def serve() -> None:
    """Answer tasks from standard input on standard output until the input ends."""
    # Services stop all their processes at once: this one ends with the one that feeds it, which tidies up.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    tasks = sys.stdin.buffer
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # whatever a library may print must not get among the answers
        function: Callable[[Any], Any] | None = None
        while True:
            try:
                make, task = pickle.load(tasks)
            except EOFError:
                return
            try:
                if make is not None:
                    function = make()
                assert function is not None
                answer = True, function(task)
            except (MaskdetError, OSError) as error:
                answer = False, error
            try:
                pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
                answers.flush()
            except BrokenPipeError:  # nobody waits for it any more
                os._exit(0)
