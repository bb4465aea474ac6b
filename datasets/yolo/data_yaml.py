"""The description of a YOLO data set, ``data.yaml``, read as ultralytics reads it.

What ultralytics would run or fetch (``download:``, web addresses, archives, the names of public sets) is never looked
at. Where it finds photos, they are found here, under the same names; where it gives up, a few spellings are still
understood: folders written for Windows, and a ``path:`` that counts from the file instead of the working folder.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from maskdet.datasets.photos.listing import TRAINED_SUFFIXES, trained_pictures
from maskdet.errors import DatasetError
from maskdet.files.safe_yaml import YamlError, read_yaml

SPLITS: Final = ("train", "val", "test")

_YAML: Final = (".yaml", ".yml")
_ARCHIVES: Final = (".zip", ".tar", ".gz", ".tgz", ".ndjson")

#: More classes than any data set has; each is a column of what a network answers.
_MOST_CLASSES: Final = 50_000

#: A list of a million photos takes about this much.
_MAX_LIST_BYTES: Final = 1 << 27


@dataclass(frozen=True, slots=True)
class DataYaml:
    """A YOLO data set's description.

    Attributes:
        names: class names, the index is the class id.
        splits: for each of ``train``, ``val``, ``test`` that is there, its folders or list files, absolute.
        keypoints: numbers that a label line may carry behind its box, 0 where the data have no keypoints.
    """

    path: Path
    names: tuple[str, ...]
    splits: dict[str, tuple[Path, ...]]
    keypoints: int = 0

    def pictures(self, split: str) -> list[Path]:
        """Return the pictures of a split in ultralytics' order; a subfolder that cannot be opened stands for itself.

        Raises:
            DatasetError: a folder or list file is missing, or a list cannot be read.
        """
        found: list[str] = []
        for source in self.splits[split]:
            if os.path.isdir(source):  # noqa: PTH112 - unlike pathlib's, it takes names of any length
                found += trained_pictures(source)
            elif os.path.isfile(source):  # noqa: PTH113
                found += self._listed(source)
            else:
                raise self._missing(split, source)
        return [Path(file) for file in sorted(found)]

    def require(self, *splits: str) -> None:
        """Make sure that splits are there, with their folders.

        Raises:
            DatasetError: one is not.
        """
        for split in splits:
            if split not in self.splits:
                raise DatasetError(self.path, f"has no split {split!r}; it has {', '.join(self.splits)}")
            for source in self.splits[split]:
                if not _exists(source):
                    raise self._missing(split, source)

    def _missing(self, split: str, source: Path) -> DatasetError:
        fault = "is neither a folder nor a list of photos" if _exists(source) else "does not exist"
        return DatasetError(self.path, f"{split} points to {source}, which {fault}")

    def _listed(self, file: Path) -> Iterator[str]:
        """Yield the pictures of a list file: ``./a.jpg`` counts from it, others from the working folder or from it."""
        try:
            with file.open("rb") as opened:
                data = opened.read(_MAX_LIST_BYTES + 1)
            lines = data.decode("utf-8-sig").split("\n") if len(data) <= _MAX_LIST_BYTES else None
        except OSError as error:
            raise DatasetError(file, f"cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise DatasetError(file, "is no list of photos: it is not UTF-8 text") from error
        if lines is None:
            raise DatasetError(file, f"is larger than {_MAX_LIST_BYTES >> 20} MiB")
        for line in lines:
            name = line.strip()
            if os.path.splitext(name)[1].lower() in TRAINED_SUFFIXES and "\0" not in name:  # noqa: PTH122
                yield _from_list(name, file.parent)


def yaml_in(folder: Path) -> Path | None:
    """Return the description in a folder: ``data.yaml``, else its one YAML file, None where there is none.

    Raises:
        DatasetError: the folder has several YAML files and none is called ``data.yaml``.
    """
    files = sorted(file for suffix in _YAML for file in folder.glob(f"*{suffix}") if file.is_file())
    for file in files:
        if file.stem == "data":
            return file
    if len(files) > 1:
        raise DatasetError(folder, f"has several YAML files: name one of {', '.join(file.name for file in files)}")
    return files[0] if files else None


def find_data_yaml(data: str | Path) -> Path:
    """Return a description that was named itself or by its folder.

    Raises:
        DatasetError: there is none, or what was named is none: an archive, a web address, the name of a public set.
    """
    path = Path(data)
    if "://" in str(data) or str(data).startswith(("http:/", "https:/")):
        raise DatasetError(str(data), "is a web address, and no data are fetched: download it, give its data.yaml")
    if os.path.isdir(path):  # noqa: PTH112 - see above
        found = yaml_in(path)
        if found is None:
            raise DatasetError(path / "data.yaml", "no such file; `maskdet convert` writes a data.yaml")
        return found
    if not _exists(path):
        raise DatasetError(path, "no such file; `maskdet convert` writes a data.yaml")
    if path.name.lower().endswith(_ARCHIVES):
        raise DatasetError(path, "is an archive: unpack it, then give its data.yaml")
    if path.suffix.lower() not in _YAML:
        raise DatasetError(path, "is no description of a data set: its name must end with .yaml")
    return path


def read_data_yaml(path: Path) -> DataYaml:
    """Read a ``data.yaml``.

    Raises:
        DatasetError: not YAML, beyond a limit, or without class names or splits.
    """
    try:
        data = read_yaml(path)
    except OSError as error:
        raise DatasetError(path, f"cannot be read: {error.strerror}") from error
    except YamlError as error:
        raise DatasetError(path, str(error)) from error
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise DatasetError(path, "is no description of a data set: expected lines such as `train: images/train`")
    # A habit of Python's users, which ultralytics forgives.
    data = {key: None if isinstance(value, str) and value == "None" else value for key, value in data.items()}
    if "val" not in data and "validation" in data:
        data["val"] = data["validation"]
    names = _names(path, data)
    if data.get("channels", 3) != 3:
        raise DatasetError(path, "channels: only colour pictures are read, with 3")
    sources = {split: _words(path, split, data[split]) for split in SPLITS if data.get(split)}
    if not sources:
        hint = "; rename `valid:` to `val:`" if data.get("valid") else ""
        raise DatasetError(path, f"names no pictures: add `train:` and `val:`{hint}")
    return DataYaml(path, names, _resolve(path, data.get("path"), sources), _keypoints(path, data.get("kpt_shape")))


def _names(path: Path, data: Mapping[Any, Any]) -> tuple[str, ...]:
    """Return the class names, checked against ``nc:``; ``class_0`` … where only that is there."""
    names: Any = data.get("names")
    count: Any = data.get("nc")
    if "nc" in data:
        try:
            whole = None if isinstance(count, bool) or float(count) != int(count) else int(count)
        except (TypeError, ValueError, OverflowError):
            whole = None
        if whole is None or not 0 < whole <= _MOST_CLASSES:
            raise DatasetError(path, "nc: expected the number of classes")
        count = whole
    if names is None:
        if count is None:
            raise DatasetError(path, "has no class names: add `names:`")
        return tuple(f"class_{index}" for index in range(count))
    if not isinstance(names, list | dict):
        raise DatasetError(path, "names: expected a list of words, or a number and a word for each class")
    if not names:
        raise DatasetError(path, "has no class names: add `names:`")
    if not 0 < len(names) <= _MOST_CLASSES:
        raise DatasetError(path, f"names: more than {_MOST_CLASSES} classes")
    if count is not None and count != len(names):
        raise DatasetError(path, f"names: {len(names)} classes, but nc: says {count}")
    if isinstance(names, list):
        names = dict(enumerate(names))
    try:
        by_id = {int(key): value for key, value in names.items() if isinstance(key, int | str)}
    except ValueError:
        by_id = {}
    if sorted(by_id) != list(range(len(names))):
        raise DatasetError(path, f"names: expected each number from 0 to {len(names) - 1} once, with its word")
    return tuple(_word(path, "names", by_id[index]) for index in range(len(names)))


def _word(path: Path, key: str, value: Any) -> str:
    """Return a word, or a number as one; what is neither is no name and no path."""
    try:
        text = str(value) if isinstance(value, str | int | float) else None
    except ValueError:  # an integer of more digits than Python writes
        text = None
    if not text or "\0" in text:
        raise DatasetError(path, f"{key}: expected words")
    return text


def _words(path: Path, key: str, value: Any) -> list[str]:
    return [_word(path, key, one) for one in (value if isinstance(value, list) else [value])]


def _keypoints(path: Path, shape: Any) -> int:
    """Return how many numbers a pose label has behind its box: ``kpt_shape: [points, numbers of each]``."""
    if shape is None:
        return 0
    if not (isinstance(shape, list) and len(shape) == 2 and all(isinstance(n, int) and 0 <= n < 10_000 for n in shape)):
        raise DatasetError(path, "kpt_shape: expected two whole numbers")
    return int(shape[0] * shape[1])


def _resolve(path: Path, given: Any, sources: Mapping[str, list[str]]) -> dict[str, tuple[Path, ...]]:
    """Find the splits' folders and lists: below ``path:`` from the working folder, as ultralytics counts it, else from
    the file's folder, else from ultralytics' folder of data sets.
    """  # noqa: D205 - one thought
    roots = [path.parent]
    if given is not None and given != "":
        word = _word(path, "path", given)
        named = [Path(word), path.parent / word, *(folder / word for folder in _data_folders())]
        roots = [root for root in named if _exists(root)] or [
            root for root in (Path(word.replace("\\", "/")), path.parent / word.replace("\\", "/")) if _exists(root)
        ]
        if not roots:
            raise DatasetError(path, f"path: there is no {word}, neither from here nor from the file's folder")
    found = [{split: tuple(_source(root, one) for one in words) for split, words in sources.items()} for root in roots]
    whole = (splits for splits in found if all(map(_exists, (*splits.get("train", ()), *splits.get("val", ())))))
    return next(whole, found[0])


def _source(root: Path, word: str) -> Path:
    """Return a split's folder or list; Roboflow writes ``../train/images`` for ``train/images``."""
    for plain in (word, word.replace("\\", "/")):
        for spelled in (plain, plain.removeprefix("../")):
            if _exists(root / spelled):
                return Path(os.path.realpath(root / spelled))
    return Path(os.path.realpath(root / word))


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - unlike pathlib's, it takes names of any length


def _data_folders() -> list[Path]:
    """Return ultralytics' folder of data sets, as its settings have it; none where it never ran."""
    set_by_user = os.environ.get("YOLO_CONFIG_DIR")
    system = {"darwin": "~/Library/Application Support", "win32": "~/AppData/Roaming"}
    usual = system.get(sys.platform) or os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    settings = os.path.join(os.path.expanduser(set_by_user or usual), "Ultralytics", "settings.json")  # noqa: PTH111, PTH118
    try:
        folder = json.loads(Path(settings).read_text(encoding="utf-8")).get("datasets_dir")
    except (OSError, ValueError, AttributeError):
        return []
    return [Path(folder)] if isinstance(folder, str) and folder else []


def _from_list(name: str, folder: Path) -> str:
    """Return the path that a line of a list means."""
    if name.startswith("./"):
        return os.path.join(folder, name[2:])  # noqa: PTH118 - Path objects of a million lines take seconds
    beside = os.path.join(folder, name)  # noqa: PTH118
    for spelled in (name, beside, beside.replace("\\", "/")):
        if os.path.exists(spelled):  # noqa: PTH110
            return spelled
    return beside
