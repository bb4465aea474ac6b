"""The list of a run, frozen before it begins: every file with its id and shard, and what the run does with it."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from maskdet.batch.store import Store
from maskdet.errors import SourceError
from maskdet.extras import require
from maskdet.files.paths import VIDEO_SUFFIXES
from maskdet.version import __version__

#: Its name in the folder of the results.
MANIFEST: Final = "manifest.parquet"

#: Names what is written.
SCHEMA: Final = "maskdet-batch/1"

#: Bytes of a video that count as one picture where shards are cut: one of 200 MB fills a shard of 2000.
_VIDEO_PIECE: Final = 100_000

_KEY: Final = b"maskdet"


class Entry(NamedTuple):
    """One file of the list.

    Attributes:
        id: of uri, size and etag, hexadecimal.
        uri: a full path, or an address.
        size: bytes, None where nobody has told.
        etag: the store's, or the time of a file's change in nanoseconds; None where nobody has told.
        mtime: of the file's change, in microseconds since 1970, UTC.
    """

    id: str
    uri: str
    size: int | None
    etag: str | None
    mtime: int | None


def entry_of(uri: str, size: int | None = None, etag: str | None = None, mtime: int | None = None) -> Entry:
    """Return an entry with its id.

    >>> entry_of("/photos/a.jpg", 4096, "1700000000000000000").id
    'f92b1b63cc21fe4a6f2a49ec'
    """
    told = "\0".join(("" if one is None else str(one)) for one in (uri, size, etag))
    return Entry(blake2b(told.encode(), digest_size=12).hexdigest(), uri, size, etag, mtime)


def local_uri(path: str) -> str:
    r"""Return how a full path stands in a table: as it is, or as an address where it is no UTF-8.

    >>> local_uri("/photos/a b.jpg"), local_uri("/caf\udce9.jpg")
    ('/photos/a b.jpg', 'file:///caf%E9.jpg')
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        return "file://" + quote(os.fsencode(path))
    return path


def path_of(uri: str) -> Path:
    r"""Return the path that ``local_uri`` was given.

    >>> path_of("file:///caf%E9.jpg") == Path("/caf\udce9.jpg")
    True
    """
    return Path(os.fsdecode(unquote_to_bytes(uri.removeprefix("file://"))) if uri.startswith("file://") else uri)


def is_video(uri: str) -> bool:
    """Whether a name ends as videos do."""
    return "." + uri.rpartition(".")[2].lower() in VIDEO_SUFFIXES


def cut_shards(entries: Iterable[Entry], shard_size: int, vid_stride: int = 1) -> Iterator[list[Entry]]:
    """Yield the files of one shard after another; a video weighs as many pictures as its bytes suggest.

    >>> [len(shard) for shard in cut_shards([entry_of(f"{name}.jpg", 9) for name in "abcde"], 2)]
    [2, 2, 1]
    """
    shard: list[Entry] = []
    weight = 0
    for entry in entries:
        own = 1 + ((entry.size or 0) // (_VIDEO_PIECE * vid_stride) if is_video(entry.uri) else 0)
        if shard and weight + own > shard_size:
            yield shard
            shard, weight = [], 0
        shard.append(entry)
        weight += own
    if shard:
        yield shard


def freeze(store: Store, shards: Iterable[list[Entry]], about: Mapping[str, Any]) -> None:
    """Write the list, a row group a shard.

    Args:
        store: of the run.
        shards: see ``cut_shards``.
        about: what the run does; see ``Plan.fingerprint``.

    Raises:
        SourceError: it cannot be written.
    """
    pa = require("pyarrow", what="maskdet batch", extra="batch")
    pq = require("pyarrow.parquet", what="maskdet batch", extra="batch")

    told = json.dumps({"schema": SCHEMA, "maskdet": __version__, "options": dict(about)})
    columns = {"id": pa.string(), "uri": pa.string(), "size": pa.int64(), "etag": pa.string()}
    schema = pa.schema(
        {**columns, "mtime": pa.timestamp("us", tz="UTC"), "shard": pa.int32()}, metadata={_KEY: told.encode()}
    )
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, schema, compression="zstd") as writer:
        for number, entries in enumerate(shards):
            values = [*zip(*entries, strict=True), [number] * len(entries)]
            arrays = [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    store.write(MANIFEST, buffer.getvalue())


class Manifest:
    """The frozen list of a run, read a shard at a time.

    Attributes:
        about: what the run does, as ``freeze`` was given it.
        shards: how many there are.
        pictures: files in the list.
    """

    def __init__(self, store: Store) -> None:
        """Read what stands at its end.

        Raises:
            SourceError: it is not there, or is none of ours.
        """
        pq = require("pyarrow.parquet", what="maskdet batch", extra="batch")
        from pyarrow import ArrowException

        self._store, self._location = store, f"{store.location}/{MANIFEST}"
        try:
            with store.open(MANIFEST) as file:
                self._metadata = pq.read_metadata(file)
            told = json.loads(self._metadata.metadata[_KEY])
            kind, self.about = told["schema"], dict[str, Any](told["options"])
        except (ArrowException, KeyError, ValueError, TypeError) as error:
            raise SourceError(self._location, "damaged, or not the list of a run") from error
        if kind != SCHEMA:
            raise SourceError(self._location, f"of the kind {kind}, which this version does not know")
        self.shards: int = self._metadata.num_row_groups
        self.pictures: int = self._metadata.num_rows

    def sizes(self) -> list[int]:
        """Return how many files each shard has."""
        return [self._metadata.row_group(number).num_rows for number in range(self.shards)]

    def entries(self, shard: int) -> list[Entry]:
        """Return the files of a shard, in order.

        Raises:
            SourceError: the list is damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with self._store.open(MANIFEST) as file:
                table = pq.ParquetFile(file, metadata=self._metadata).read_row_group(shard, list(Entry._fields))
        except (pa.ArrowException, OSError) as error:
            raise SourceError(self._location, "damaged: its rows cannot be read") from error
        columns = [table[name].cast(pa.int64()) if name == "mtime" else table[name] for name in Entry._fields]
        return [Entry(*row) for row in zip(*(column.to_pylist() for column in columns), strict=True)]
