"""Importing optional packages, with one clear line where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from maskdet.errors import MissingExtraError
from maskdet.quiet import quietly


def require(module: str, *, what: str, extra: str) -> Any:
    """Import ``module``, which then reports nothing to anybody, and return it.

    Args:
        module: dotted name, such as ``"torch"``.
        what: the feature that needs it, as the subject of the message (``"maskdet train"``).
        extra: the dependency group that brings it.

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        with quietly(module):
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # A broken installed package must not be reported as a missing extra.
        if error.name is None or error.name.split(".")[0] != module.split(".", maxsplit=1)[0]:
            raise
        raise MissingExtraError(what, extra) from error
