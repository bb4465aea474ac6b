"""Where a run's results lie: a folder, or a place in an object store. What is written there is whole or not there."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Final

from maskdet.errors import SourceError, first_line
from maskdet.extras import require
from maskdet.files.atomic import sweep_files, whole_file
from maskdet.files.paths import real_path
from maskdet.sources.address import local_path

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)

#: Addresses that ``maskdet.sources`` reads itself.
_OURS: Final = frozenset({"http", "https"})


def is_stored(name: str) -> bool:
    """Whether a name is the address of an object store or another file system that fsspec knows."""
    found = _SCHEME.match(name)
    if found is None or found[1].lower() in _OURS or local_path(name) is not None:
        return False
    fsspec = require("fsspec", what=f"reading {found[0]} addresses", extra="batch")
    return found[1].lower() in fsspec.available_protocols()


def open_filesystem(address: str) -> tuple[Any, str]:
    """Return fsspec's file system of an address, and the path there.

    Raises:
        SourceError: a package for it is missing, or it cannot be reached.
    """
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(address, use_listings_cache=False)
    except ImportError as error:  # its message names the package
        raise SourceError(address, first_line(error)) from error
    except Exception as error:  # each file system raises its own kinds
        raise SourceError(address, f"cannot be opened ({first_line(error)})") from error
    return system, path


class Store(ABC):
    """Files of a run, by names such as ``faces/part-00000.parquet``; all methods raise ``SourceError``.

    Attributes:
        location: as messages call it.
    """

    def __init__(self, location: str) -> None:
        """Name the place; nothing is made yet."""
        self.location = location

    @abstractmethod
    def names(self, folder: str = "") -> set[str]:
        """Return the bare names of what lies in a folder, none where it is not there; hidden files are not seen."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return a file's bytes."""

    @abstractmethod
    def open(self, name: str) -> Any:
        """Open a file for reading where it lies, for a reader that goes about in it."""

    @abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file that is there."""

    @abstractmethod
    def tidy(self, folder: str) -> None:
        """Remove what processes that were killed have left half written in a folder."""


class FolderStore(Store):
    """A folder on this machine, or one that several machines mount."""

    def __init__(self, folder: Path) -> None:
        """Name the folder."""
        self._folder = real_path(folder)
        super().__init__(str(self._folder))

    def names(self, folder: str = "") -> set[str]:
        """Return bare names; see ``Store``."""
        try:
            with os.scandir(self._folder / folder) as entries:
                return {entry.name for entry in entries if not entry.name.startswith(".")}
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise SourceError(self._folder / folder, f"cannot be read ({error.strerror})") from error

    def read(self, name: str) -> bytes:
        """Return a file's bytes; see ``Store``."""
        try:
            return (self._folder / name).read_bytes()
        except OSError as error:
            raise SourceError(self._folder / name, f"cannot be read ({error.strerror})") from error

    def open(self, name: str) -> Any:
        """Open a file; see ``Store``."""
        try:
            return (self._folder / name).open("rb")
        except OSError as error:
            raise SourceError(self._folder / name, f"cannot be read ({error.strerror})") from error

    def write(self, name: str, data: bytes) -> None:
        """Write a file that is on the disk before it has its name; see ``Store``."""
        path = self._folder / name
        try:
            with whole_file(path) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SourceError(path, f"cannot be written ({error.strerror})") from error

    def remove(self, name: str) -> None:
        """Remove a file; see ``Store``."""
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise SourceError(self._folder / name, f"cannot be removed ({error.strerror})") from error

    def tidy(self, folder: str) -> None:
        """Remove what is half written; see ``Store``."""
        sweep_files(self._folder / folder, again=True)


class ObjectStore(Store):
    """A place that fsspec knows, where a put is whole or did not happen: S3, Google's, Azure's."""

    def __init__(self, address: str) -> None:
        """Connect.

        Raises:
            SourceError: a package is missing, or the address cannot be reached.
        """
        super().__init__(address.rstrip("/"))
        self._system, self._root = open_filesystem(self.location)

    def names(self, folder: str = "") -> set[str]:
        """Return bare names; see ``Store``."""
        self._system.invalidate_cache()
        try:
            found = self._system.ls(self._path(folder), detail=False)
        except FileNotFoundError:
            return set()
        except Exception as error:
            raise self._failed(folder, "read", error) from error
        return {name.rstrip("/").rpartition("/")[2] for name in found} - {""}

    def read(self, name: str) -> bytes:
        """Return an object's bytes; see ``Store``."""
        try:
            data: bytes = self._system.cat_file(self._path(name))
        except Exception as error:
            raise self._failed(name, "read", error) from error
        return data

    def open(self, name: str) -> Any:
        """Open an object; see ``Store``."""
        try:
            return self._system.open(self._path(name), "rb")
        except Exception as error:
            raise self._failed(name, "read", error) from error

    def write(self, name: str, data: bytes) -> None:
        """Put an object; see ``Store``."""
        try:
            self._system.pipe_file(self._path(name), data)
        except Exception as error:
            raise self._failed(name, "written", error) from error

    def remove(self, name: str) -> None:
        """Remove an object; see ``Store``."""
        try:
            self._system.rm_file(self._path(name))
        except FileNotFoundError:
            return
        except Exception as error:
            raise self._failed(name, "removed", error) from error

    def tidy(self, folder: str) -> None:
        """Do nothing: an object that was not put whole is not there."""

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def _failed(self, name: str, what: str, error: Exception) -> SourceError:
        # Each file system raises its own kinds, which this module cannot know.
        return SourceError(f"{self.location}/{name}", f"cannot be {what} ({first_line(error)})")


def open_store(out: str) -> Store:
    """Return the place that ``--out`` names.

    Raises:
        SourceError: it cannot be one, or cannot be reached.
    """
    if not out:
        raise SourceError("", "the name is empty")
    if is_stored(out):
        return ObjectStore(out)
    path = Path(local_path(out) or out)
    if _SCHEME.match(out) and local_path(out) is None:
        raise SourceError(out, "addresses of this kind cannot be written")
    if path.exists() and not path.is_dir():
        raise SourceError(out, "--out takes a folder, and this is a file")
    return FolderStore(path)
