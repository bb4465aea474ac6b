"""What the project wants of its own speed, in words; shown in the heading of the column."""

from __future__ import annotations

from typing import Final

#: Reading, fitting, choosing boxes and writing JSON should hide behind the network.
SHARE_OF_BARE: Final = "≥ 0.9"

#: Beside yolo: a program that starts while the other still imports torch.
COLD_TIMES_FASTER: Final = "≥ 10, help ≥ 20"
COLD_MEMORY_SHARE: Final = "≤ 0.2"
FOLDER_TIMES_FASTER: Final = "≥ 3, best ≥ 5"

#: Fewer bits beside float32 in the same runtime.
INT8_TIMES_FASTER: Final = "INT8 ≥ 1.6"

#: Beside a plain script that parses and writes one file after another.
CONVERTER_TIMES_FASTER: Final = "≥ 2"

#: Twice the photos: twice the time, the same memory.
TIME_DOUBLED: Final = "≈ 2"
MEMORY_DOUBLED: Final = "≈ 1"
