"""What the sources of a run hold, file after file: folders, patterns, object stores, and lists of addresses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from maskdet.batch.manifest import Entry, entry_of, local_uri
from maskdet.batch.store import is_stored, open_filesystem
from maskdet.errors import SourceError, first_line
from maskdet.extras import require
from maskdet.files.paths import HEIF_SUFFIXES, IMAGE_SUFFIXES, VIDEO_SUFFIXES, real_path
from maskdet.imaging.decode import reads_heif
from maskdet.sources import Missed, PictureFile, VideoFile, resolve
from maskdet.sources.address import local_path
from maskdet.sources.remote import WebAddress

#: Is told of what is in the way, and whether that is worth a note only.
Report = Callable[[SourceError, bool], None]

#: The column of a list that names the files.
_URI: Final = "uri"

_GLOB: Final = frozenset("*?[")


def full_name(source: str) -> str:
    """Return how a source is called in another working folder.

    >>> full_name("s3://bucket/photos"), full_name("/data/../photos")
    ('s3://bucket/photos', '/photos')
    """
    if "://" in source and local_path(source) is None:
        return source
    return os.path.abspath(local_path(source) or source)  # noqa: PTH100 - a pattern is no path


def list_files(sources: Iterable[str], report: Report, own: Iterable[str] = ()) -> Iterator[Entry]:
    """Yield the files that sources name, in order, each once.

    Args:
        sources: folders, glob patterns and files; addresses that fsspec knows, of a file, a prefix or a pattern;
            ``http://`` and ``https://`` addresses; or lists, ``.csv`` or ``.parquet`` with a column ``uri``.
        report: is told of what cannot be listed.
        own: folders that are not searched.
    """
    seen: set[bytes] = set()
    own_folders = {real_path(folder) for folder in own}
    for source in sources:
        try:
            for entry in _one_source(source, report, own_folders):
                known = blake2b(entry.uri.encode(), digest_size=8).digest()
                if known not in seen:
                    seen.add(known)
                    yield entry
        except SourceError as error:
            report(error, False)


def _one_source(source: str, report: Report, own: set[Path]) -> Iterator[Entry]:
    if not source:
        raise SourceError("", "the name is empty")
    if (ending := source.lower().rpartition(".")[2]) in {"csv", "parquet"}:
        rows = _rows_of(source, ending)
        if rows is not None:
            yield from (_listed(row, source) for row in rows)
            return
    if is_stored(source):
        yield from _objects(source)
        return
    _refuse_password(source)
    for found in resolve(source, own):
        if isinstance(found, (PictureFile, VideoFile)):
            yield local_entry(found.path)
        elif isinstance(found, Missed):
            report(found.error, found.note)
        elif isinstance(found, WebAddress):
            yield entry_of(found.url)
        else:
            raise SourceError(source, "is no file, and a run needs a list with an end: use maskdet detect")


def local_entry(path: Path) -> Entry:
    """Return the entry of a file of this machine; one that is not there is told where it is read."""
    absolute = local_uri(os.path.abspath(path))  # noqa: PTH100 - links stay
    try:
        told = os.stat(path)  # noqa: PTH116 - a str stays one
    except (OSError, ValueError):
        return entry_of(absolute)
    return entry_of(absolute, told.st_size, str(told.st_mtime_ns), told.st_mtime_ns // 1000)


def _refuse_password(address: str) -> None:
    if "://" in address and urlsplit(address).password is not None:
        raise SourceError(
            urlsplit(address).hostname or "", "an address with a password in it, which would stand in every row"
        )


def _objects(source: str) -> Iterator[Entry]:
    """Yield what is at an address: an object, all pictures and videos below a prefix, or those of a pattern."""
    _refuse_password(source)
    system, path = open_filesystem(source)
    pattern = bool(_GLOB & set(path))
    try:
        if pattern:
            found = system.glob(path, detail=True)
        elif system.isfile(path):
            found = {path: system.info(path)}
        else:
            found = system.find(path, detail=True)
    except Exception as error:  # each file system raises its own kinds
        raise SourceError(source, f"cannot be listed ({first_line(error)})") from error
    endings = IMAGE_SUFFIXES | VIDEO_SUFFIXES | (HEIF_SUFFIXES if reads_heif() else frozenset())
    some = False
    for name in sorted(found):
        info = found[name]
        named = pattern or name == path
        last = name.rpartition("/")[2]
        wanted = named or (not last.startswith(".") and ("." + last.rpartition(".")[2].lower()) in endings)
        if info.get("type") == "file" and wanted:
            some = True
            yield entry_of(system.unstrip_protocol(name), info.get("size"), _etag(info), _changed(info))
    if not some:
        raise SourceError(source, "no pictures or videos there")


def _etag(info: dict[str, Any]) -> str | None:
    tag = next((info[key] for key in ("ETag", "etag", "md5Hash", "content_md5") if info.get(key)), None)
    return None if tag is None else str(tag).strip('"')


def _changed(info: dict[str, Any]) -> int | None:
    """Return when an object was written, in microseconds; each file system has its own name and form of it."""
    value = next(
        (info[key] for key in ("LastModified", "last_modified", "updated", "mtime", "created") if key in info), None
    )
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, datetime):
            value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        return None if value is None else round(float(value) * 1_000_000)
    except (ValueError, TypeError):
        return None


def _rows_of(source: str, ending: str) -> Iterator[dict[str, Any]] | None:
    """Return the rows of a list, None for a ``.csv`` without such a column: a list of names, as ``detect`` reads it.

    Raises:
        SourceError: it cannot be read, or is a Parquet file without such a column.
    """
    pa = require("pyarrow", what="reading a list of files", extra="batch")
    pq = require("pyarrow.parquet", what="reading a list of files", extra="batch")
    csv = require("pyarrow.csv", what="reading a list of files", extra="batch")

    with ExitStack() as stack:
        try:
            if is_stored(source):
                system, path = open_filesystem(source)
                file = stack.enter_context(system.open(path, "rb"))
            else:
                file = stack.enter_context(Path(local_path(source) or source).open("rb"))
            if ending == "parquet":
                reader = pq.ParquetFile(file)
                names, batches = reader.schema_arrow.names, reader.iter_batches(8192)
            else:
                reader = csv.open_csv(file, convert_options=csv.ConvertOptions(column_types={_URI: pa.string()}))
                names, batches = reader.schema.names, iter(reader)
        except FileNotFoundError:
            raise SourceError(source, "no such file or folder") from None
        except Exception as error:  # each file system raises its own kinds
            if ending == "csv" and isinstance(error, pa.ArrowException):
                return None
            raise SourceError(source, f"cannot be read as {ending} ({first_line(error)})") from error
        if _URI in names:
            wanted = [name for name in (_URI, "size", "etag", "mtime") if name in names]
            return _read_rows(stack.pop_all(), batches, wanted, source)
    if ending == "csv":
        return None
    raise SourceError(source, f"a list needs a column {_URI}; its columns are {', '.join(names[:20])}")


def _read_rows(opened: ExitStack, batches: Iterable[Any], wanted: list[str], source: str) -> Iterator[dict[str, Any]]:
    from pyarrow import ArrowException

    try:
        with opened:
            for batch in batches:
                yield from batch.select(wanted).to_pylist()
    except (ArrowException, OSError) as error:
        raise SourceError(source, f"damaged ({first_line(error)})") from error


def _listed(row: dict[str, Any], source: str) -> Entry:
    """Return the entry of a list's row; what it does not say of a local file is looked up.

    Raises:
        SourceError: the row names no file.
    """
    uri = row[_URI]
    if not isinstance(uri, str) or not uri.strip():
        raise SourceError(source, f"a row without a {_URI}")
    _refuse_password(uri)
    if "://" in uri and local_path(uri) is None:
        size, etag = row.get("size"), row.get("etag")
        mtime = _changed({"mtime": row.get("mtime")})
        return entry_of(uri, size if isinstance(size, int) else None, None if etag is None else str(etag), mtime)
    path = Path(local_path(uri) or uri)
    if not path.is_absolute() and not path.exists() and not is_stored(source):
        path = Path(local_path(source) or source).parent / path
    return local_entry(path)
