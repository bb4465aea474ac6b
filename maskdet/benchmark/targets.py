"""What the project wants of its own speed, in words; shown in the heading of the column."""

from __future__ import annotations

from typing import Final

#: Reading, fitting, choosing boxes and writing JSON should hide behind the network.
SHARE_OF_BARE: Final = "≥ 0.9"

#: Never slower, never larger than what it is compared with.
TIMES_FASTER: Final = "> 1"
MEMORY_SHARE: Final = "< 1"

#: Twice the photos: twice the time, the same memory.
TIME_DOUBLED: Final = "≈ 2"
MEMORY_DOUBLED: Final = "≈ 1"
