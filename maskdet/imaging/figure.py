"""Matplotlib figures as PNG."""

from __future__ import annotations

import io
from typing import Any

from maskdet.files.signature import sign


def png(figure: Any, *, dpi: int = 110) -> bytes:
    """Return a ``matplotlib.figure.Figure`` as PNG, the same bytes for the same figure.

    Args:
        figure: what was drawn.
        dpi: pixels an inch.
    """
    buffer = io.BytesIO()
    # Without matplotlib's version in it, which would change the file with every release.
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return sign(buffer.getvalue())
