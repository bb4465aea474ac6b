"""What people and logs are told while a run goes on."""

from __future__ import annotations

import pytest

from maskdet.batch.progress import Progress
from maskdet.batch.shard import ShardReport


class Clock:
    """A clock that stands until it is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_log_has_a_line_every_half_minute(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Progress(4000, clock=clock) as progress:
        for _ in range(1000):
            clock.now += 1 / 16
            progress.tick(False)
        progress.tick(True)
    assert capsys.readouterr().err.splitlines() == [
        "batch: 480 of 4,000 (12%), 16.0/s, 0 errors, 3 min 40 s left",
        "batch: 960 of 4,000 (24%), 16.0/s, 0 errors, 3 min 10 s left",
    ]
    assert progress.line() == "batch: 1,001 of 4,000 (25%), 16.0/s, 1 error, 3 min 7 s left"


def test_the_first_errors_are_told_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(100, quiet=True, by_shard=True)
    for shard in range(5):
        errors = tuple(f"{shard}-{number}.jpg: damaged" for number in range(3))
        progress.report(ShardReport(shard=shard, files=20, failed=3, errors=errors))
    told = capsys.readouterr().err.splitlines()
    assert told == [
        *(f"error: {shard}-{number}.jpg: damaged" for shard in range(3) for number in range(3)),
        "error: 3-0.jpg: damaged",
        "note: further errors are in the rows, and in errors.jsonl at the end",
    ]
    assert progress.line().startswith("batch: 100 of 100 (100%)")
