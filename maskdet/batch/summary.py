"""What a finished run leaves beside its parts: ``errors.jsonl``, ``summary.json`` and ``_SUCCESS``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from maskdet.batch.manifest import SCHEMA, Manifest
from maskdet.batch.plan import Format
from maskdet.batch.rows import decode, part_name
from maskdet.batch.store import Store
from maskdet.classes import count_compliant, sum_counts
from maskdet.results.json_lines import to_line

ERRORS: Final = "errors.jsonl"
SUMMARY: Final = "summary.json"
SUCCESS: Final = "_SUCCESS"

#: Parts that are read at once.
_AT_ONCE: Final = 8

_COLUMNS: Final = ("id", "uri", "frame", "faces", "counts", "error")


@dataclass
class Totals:
    """Sums over the parts of a run.

    Attributes:
        rows: pictures and frames that were looked at.
        faces: in them.
        counts: faces by class.
        failed: files that could not be read, or not to their end: id, uri and error of each.
    """

    rows: int = 0
    faces: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    failed: list[dict[str, str]] = field(default_factory=list)


def failed_shards(store: Store, shards: Iterable[int], kind: Format) -> Iterator[tuple[int, int]]:
    """Yield those of the shards in which files failed, with how many."""
    for shard, table in _tables(store, shards, kind, ("error",)):
        failed = table.num_rows - table["error"].null_count
        if failed:
            yield shard, failed


def add_up(store: Store, shards: Iterable[int], kind: Format) -> Totals:
    """Return the sums over the parts of these shards.

    Raises:
        SourceError: a part cannot be read.
    """
    totals = Totals()
    for _, table in _tables(store, shards, kind, _COLUMNS):
        for row in table.to_pylist():
            if row["error"] is not None:
                totals.failed.append({"id": row["id"], "uri": row["uri"], "error": row["error"]})
                continue
            totals.rows += 1
            totals.faces += row["faces"]
            totals.counts = sum_counts([totals.counts, row["counts"]])
    return totals


def _tables(store: Store, shards: Iterable[int], kind: Format, columns: tuple[str, ...]) -> Iterator[tuple[int, Any]]:
    def read(shard: int) -> tuple[int, Any]:
        name = part_name("pictures", shard, kind)
        return shard, decode(store.read(name), kind, None, name, columns)

    waiting = iter(shards)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while some := list(islice(waiting, _AT_ONCE)):
            yield from pool.map(read, some)


def finish(store: Store, manifest: Manifest, kind: Format) -> Totals:
    """Write what tells that a run is done; the same bytes whatever came between.

    Raises:
        SourceError: a part cannot be read, or a file cannot be written.
    """
    totals = add_up(store, range(manifest.shards), kind)
    store.write(ERRORS, "".join(to_line(one) + "\n" for one in totals.failed).encode())
    compliant = count_compliant(totals.counts) if totals.counts else None
    told = {
        "schema": SCHEMA,
        "files": manifest.pictures,
        "failed": len(totals.failed),
        "pictures": totals.rows,
        "faces": totals.faces,
        "counts": totals.counts,
        "compliance": None if compliant is None or not totals.faces else round(compliant / totals.faces, 4),
        "shards": manifest.shards,
        "options": manifest.about,
    }
    store.write(SUMMARY, (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode())
    store.write(SUCCESS, b"")
    return totals
