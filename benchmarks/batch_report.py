"""What `benchmarks/batch.py` has measured, as it stands in `docs/batch`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from batch_cluster import RESULTS, ROOT
from batch_kill import KINDS

PAGE: Final = ROOT / "docs" / "batch" / "index.md"

PARTS: Final = ("linear", "overhead", "tasks", "kill")


def report() -> None:
    """Write what was measured into the pages, between their marks; a part that was not measured is left out."""
    told = {part: json.loads(path.read_text()) for part in PARTS if (path := RESULTS / f"batch-{part}.json").is_file()}
    put(PAGE, "figures", "\n".join(figures(told)))
    put(PAGE.with_name("ray-cluster.md"), "scaling", "\n".join(scaling(told)))


def put(page: Path, mark: str, text: str) -> None:
    begin, end = f"<!-- {mark}: start -->\n", f"<!-- {mark}: end -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    page.write_text(f"{before}{begin}{text}\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def figures(told: dict[str, Any]) -> Iterator[str]:
    machine = next(iter(told.values()))["machine"]
    yield (
        f"Measured by `benchmarks/batch.py` on {machine['cores']} cores of an {machine['processor']}, "
        f"other work beside it;"
    )
    yield "costs are processor time. (`python benchmarks/batch.py report` writes this.)\n"
    yield "| what | measured | bar |"
    yield "|---|---|---|"
    if part := told.get("linear"):
        first, last = part["first_tenth_ms"], part["last_tenth_ms"]
        yield (
            f"| a small picture, first tenth of {part['pictures']:,} and last | {first:.2f} and "
            f"{last:.2f} ms, {last / first - 1:+.1%} | within 10 % |"
        )
        begun, highest = part["memory_mb_after_first_tenth"], part["memory_mb_highest_after"]
        yield (
            f"| memory after the first tenth, and the highest behind it | {begun:.0f} and {highest:.0f} "
            f"MB, {highest / begun - 1:+.1%} | within 5 % |"
        )
    if part := told.get("overhead"):
        cost = part["ms_a_picture"]
        few = part["photos"] * 3 / 4

        def spread(engine: str) -> str:
            """Return the lowest and the highest round: what other work on the machine does to the figure."""
            told = part["seconds"][engine]
            each = sorted(1000 * (b - a) / few for a, b in zip(told["few"], told["many"], strict=True))
            return f"{each[0]:.0f}–{each[-1]:.0f} over {len(each)} rounds"

        yield f"| a photo more for `maskdet detect --json` | {cost['detect']:.1f} ms ({spread('detect')}) | |"
        for engine, bar in (("local", 10), ("ray", 25)):
            if engine not in cost:
                continue
            share = cost[engine] / cost["detect"] - 1
            yield (
                f"| the same, `--engine {engine}` of `maskdet batch` | {cost[engine]:.1f} ms ({spread(engine)}), "
                f"{share:+.1%} | at most {bar} % |"
            )
        if (idle := part["ray_idle_cores"]) is not None:
            yield f"| Ray's own processes at rest, two nodes on one machine | {idle:.2f} of a core | |"
    if part := told.get("tasks"):
        yield (
            f"| Ray on this machine, and an actor, until it answers | {part['ray_start_s']:.1f} and "
            f"{part['actor_start_s']:.1f} s | |"
        )
        yield (
            f"| a call of an actor that does nothing; processor time of the driver | "
            f"{part['actor_call_ms']:.1f} and {part['driver_cpu_a_call_ms']:.1f} ms | |"
        )
        yield (
            f"| a task of Ray Data that does nothing; the first ten | {part['ray_data_task_ms']:.1f} ms "
            f"and {part['ray_data_start_s']:.1f} s | |"
        )
    if part := told.get("kill"):
        for kind in KINDS:
            if kind in part:
                yield (
                    f"| kill -9 of {KINDS[kind]}: the same bytes in the end | {part[kind]['equal']} of "
                    f"{len(part[kind]['shards_done_when_killed'])} | all |"
                )


def scaling(told: dict[str, Any]) -> Iterator[str]:
    if not {"overhead", "tasks", "linear"} <= told.keys():
        return
    picture = told["overhead"]["ms_a_picture"]["ray"] / 1000
    call = told["tasks"]["driver_cpu_a_call_ms"] / 1000
    listing = told["tasks"]["listing_us_a_file"]
    row, part = told["linear"]["manifest_bytes_a_picture"], told["linear"]["parts_bytes_a_picture"]
    cores, shard = 1000, 2000
    rate = cores / picture
    yield "| | |"
    yield "|---|---|"
    yield f"| one core | {1 / picture:.0f} pictures a second ({1000 * picture:.0f} ms each, at the default input) |"
    yield f"| 1,000 cores | {rate:,.0f} pictures a second, {rate / shard:.1f} shards of {shard} a second |"
    yield (
        f"| 100 million pictures | {1e8 * picture / 3600:,.0f} core hours; {1e8 / rate / 3600:.1f} h on 1,000 cores |"
    )
    yield (
        f"| the driver | {1000 * call:.1f} ms a shard, so {1 / call:,.0f} shards a second: the limit of "
        f"{shard / call * picture:,.0f} cores |"
    )
    yield (
        f"| the last shards | workers wait for one shard at most, {shard * picture:.0f} s of {1e8 / rate:,.0f} "
        f"s; take `--shard-size` below pictures / (20 · cores) for short runs |"
    )
    yield (
        f"| listing a folder | {listing:.0f} µs a file on one core: {1e8 * listing / 1e6 / 3600:.1f} h "
        f"for 100 million, before anything begins. Of a bucket, 1,000 names a request. Beyond ten million "
        f"give a list: a bucket's inventory is one |"
    )
    yield (
        f"| the list | {row:.0f} bytes a file: {1e8 * row / 1e9:.1f} GB for 100 million. While it is made "
        f"the driver holds {told['tasks']['listing_bytes_a_file']:.0f} bytes a file; take `--shard-size 20000` |"
    )
    yield (
        f"| the object store | {rate:,.0f} reads a second; Amazon promises 5,500 a second for each "
        f"prefix, so {-(-rate // 5500):.0f} prefixes or more |"
    )
    yield (
        f"| the network | at 200 kB a picture {rate * 2e5 / 1e9:.1f} GB a second in all, "
        f"{16 / picture * 2e5 * 8 / 1e9:.2f} Gbit/s for a machine of 16 cores |"
    )
    yield f"| what is written | {part:.0f} bytes a picture here: {1e8 * part / 1e9:.0f} GB for 100 million |"
