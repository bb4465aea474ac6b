"""The rows of a shard, one a face and one a picture, as tables and as the bytes of a part.

Nothing in them differs between two runs on the same files: no time that a machine took, no order of threads.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from maskdet.batch.manifest import Entry
from maskdet.batch.plan import Format
from maskdet.errors import SourceError, first_line
from maskdet.extras import require
from maskdet.printable import printable
from maskdet.results import MaskResult

#: Rows that are gathered as objects before they become columns: a video has hundreds of thousands.
_GATHERED: Final = 4096


def part_name(folder: str, shard: int, kind: Format) -> str:
    """Return the name of a part.

    >>> part_name("faces", 17, "parquet")
    'faces/part-00017.parquet'
    """
    return f"{folder}/part-{shard:05d}.{kind}"


def schemas(names: Sequence[str], *, classifier: bool = False) -> dict[str, Any]:
    """Return the columns of both tables, by the name of their folder.

    Args:
        names: the classes.
        classifier: the classifier is asked too.
    """
    pa = require("pyarrow", what="maskdet batch", extra="batch")
    origin = {"id": pa.string(), "uri": pa.string(), "frame": pa.int64()}
    size = {"width": pa.int32(), "height": pa.int32()}
    face = {"name": pa.string(), "class": pa.int32(), "confidence": pa.float64()}
    box = {side: pa.float64() for side in ("x1", "y1", "x2", "y2")}
    second = {"classifier": pa.struct({"name": pa.string(), "confidence": pa.float64(), "agrees": pa.bool_()})}
    counts = pa.struct([(name, pa.int32()) for name in names])
    picture = {"faces": pa.int32(), "counts": counts, "compliance": pa.float64()}
    told = {"time": pa.timestamp("us", tz="UTC"), "seconds": pa.float64(), "error": pa.string()}
    return {
        "faces": pa.schema({**origin, **face, **box, **size, **(second if classifier else {})}),
        "pictures": pa.schema({**origin, **size, **picture, **told}),
    }


class Rows:
    """Both tables of a shard while it is done, in the order of the list."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        """Begin with empty tables of these schemas; see ``schemas``."""
        self._schemas = tables
        self._rows: dict[str, list[dict[str, Any]]] = {name: [] for name in tables}
        self._batches: dict[str, list[Any]] = {name: [] for name in tables}

    def add(self, entry: Entry, result: MaskResult, seconds: float | None = None) -> None:
        """Add the rows of a picture or frame; ``seconds`` is where in its video it stands."""
        told = result.to_dict()
        image, summary = told["image"], told["summary"]
        origin = {"id": entry.id, "uri": entry.uri, "frame": image["frame"]}
        size = {"width": image["width"], "height": image["height"]}
        found = {"faces": summary["faces"], "counts": told["counts"], "compliance": summary["compliance"]}
        self._put("pictures", {**origin, **size, **found, "time": entry.mtime, "seconds": seconds})
        for face in told["detections"]:
            self._put("faces", {**origin, **face, **face["box"], **size})

    def fail(self, entry: Entry, reason: str) -> None:
        """Add the row of a file that cannot be read, or not to its end."""
        self._put("pictures", {"id": entry.id, "uri": entry.uri, "time": entry.mtime, "error": printable(reason)})

    def tables(self) -> dict[str, Any]:
        """Return both as Arrow tables."""
        import pyarrow as pa

        for folder in self._schemas:
            self._flush(folder)
        return {
            folder: pa.Table.from_batches(batches, self._schemas[folder]).combine_chunks()
            for folder, batches in self._batches.items()
        }

    def _put(self, folder: str, row: dict[str, Any]) -> None:
        self._rows[folder].append(row)
        if len(self._rows[folder]) >= _GATHERED:
            self._flush(folder)

    def _flush(self, folder: str) -> None:
        import pyarrow as pa

        if rows := self._rows[folder]:
            self._batches[folder].append(pa.RecordBatch.from_pylist(rows, self._schemas[folder]))
            rows.clear()


def merge(before: Any, fresh: Any, redone: set[str], order: Sequence[str]) -> Any:
    """Return a table in which the rows of some files are new.

    Args:
        before: as it was.
        fresh: the new rows.
        redone: ids of the files that these replace, whether there are new rows or not.
        order: ids as they stand in the list.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    kept = before.filter(pc.invert(pc.is_in(before["id"], pa.array(sorted(redone), pa.string()))))
    both = pa.concat_tables([kept, fresh]).combine_chunks()
    places = pc.index_in(both["id"], pa.array(order, pa.string())).to_numpy(zero_copy_only=False)
    return both.take(pa.array(np.argsort(places, kind="stable"))).combine_chunks()


def encode(table: Any, kind: Format) -> bytes:
    """Return a table as the bytes of a part."""
    if kind == "jsonl":
        lines = [json.dumps(row, ensure_ascii=False, default=_to_json) + "\n" for row in table.to_pylist()]
        return "".join(lines).encode()
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def decode(data: bytes, kind: Format, schema: Any, name: str, columns: Sequence[str] | None = None) -> Any:
    """Return a part's table, or some of its columns.

    Args:
        data: its bytes.
        kind: its format.
        schema: of the whole part, see ``schemas``; for Parquet it may be None.
        name: how messages call it.
        columns: those that are wanted, None for all.

    Raises:
        SourceError: it is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if kind == "parquet":
            return pq.read_table(pa.BufferReader(data), columns=None if columns is None else list(columns))
        rows = [json.loads(line) for line in data.decode().split("\n") if line]
        for row in rows:
            if row.get("time") is not None:
                row["time"] = datetime.fromisoformat(row["time"])
        table = pa.Table.from_pylist(rows, schema)
    except (pa.ArrowException, ValueError, TypeError, AttributeError) as error:
        way = "remove it and go on with --resume"
        raise SourceError(name, f"damaged ({first_line(error)}): {way}") from error
    return table if columns is None else table.select(list(columns))


def _to_json(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} has no place in JSON")
