"""Variables of the environment that libraries read when they load, made such that they load."""

from __future__ import annotations

import os
import re
from collections.abc import MutableMapping
from typing import Final

#: What libraries take of variables by these names. OpenCV ends the process without a word where it is something else,
#: at the latest with its first picture; OpenMP complains on standard error.
_TAKEN: Final = (
    (
        r"OPENCV_(FOR_THREADS_NUM|IO_MAX_IMAGE_\w+|IMGCODECS_\w+_SIZE|FFMPEG_\w+_ATTEMPTS|THREAD_POOL_\w+|KMEANS_\w+)"
        r"|OPENCV_OPENCL_ALIGNMENT\w+|OPENCV_VIDEOIO_PRIORITY_(?!LIST)\w+",
        r"\d{1,18}([MK]B|[MK]b|[mk]b)?",
    ),
    (
        r"OPENCV_(BUFFER_\w+|DUMP_\w+|ENABLE_\w+|FFMPEG_(DEBUG|IS_THREAD_SAFE|SKIP_\w+)|GAUSSIANBLUR_\w+|SKIP_\w+|TRACE)"
        r"|OPENCV_(VIDEOCAPTURE|VIDEOIO|VIDEOWRITER)_DEBUG|OPENCV_OPENCL_(CACHE|DISABLE|ENABLE|VALIDATE)_\w+",
        r"[01]|[Tt]rue|TRUE|[Ff]alse|FALSE",
    ),
    (r"OMP_NUM_THREADS", r"[1-9]\d{0,5}(,[1-9]\d{0,5})*"),
)

#: Read by OpenCV: its own and FFmpeg's warnings would stand beside our one line about a bad file.
_QUIET: Final = {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8"}

#: Counts of threads, which libraries else take from the machine.
_THREADS: Final = ("OPENCV_FOR_THREADS_NUM", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")


def settle(environment: MutableMapping[str, str], *, cores: int, machine: int) -> None:
    """Drop values that a library ends at, silence OpenCV, and tell all of a container's quota.

    What the user has set and a library can read stays.

    Args:
        environment: of this process, before the libraries load; processes that it starts inherit it.
        cores: that it may use.
        machine: cores of the machine.

    >>> variables = {"OPENCV_IO_MAX_IMAGE_PIXELS": "many", "OMP_NUM_THREADS": "1"}
    >>> settle(variables, cores=2, machine=64)
    >>> [variables.get(name) for name in ("OPENCV_IO_MAX_IMAGE_PIXELS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")]
    [None, '1', '2']
    """
    for names, values in _TAKEN:
        for name in [name for name in environment if re.fullmatch(names, name)]:
            if not re.fullmatch(values, environment[name]):
                del environment[name]
    given = _QUIET | (dict.fromkeys(_THREADS, str(cores)) if cores < machine else {})
    if "MPLBACKEND" in environment:
        environment["MPLBACKEND"] = "agg"  # plots go to files; matplotlib does not load where it does not know another
    for name, value in given.items():
        environment.setdefault(name, value)


def settle_own() -> None:
    """Do so for this process."""
    from maskdet.sessions.processor import usable_cores

    settle(os.environ, cores=usable_cores(), machine=os.cpu_count() or 1)
