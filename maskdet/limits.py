"""How much is read at most."""

from __future__ import annotations

from typing import Final

#: 250 megapixels: above any camera's single frame, and 750 MB once decoded.
MAX_PIXELS: Final = 250_000_000
