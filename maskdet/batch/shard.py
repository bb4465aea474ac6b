"""One shard from its files to its two parts: the work that every engine hands out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from maskdet.batch.files import listed_files
from maskdet.batch.manifest import Entry, Manifest
from maskdet.batch.plan import LoadedModels, Plan, differences
from maskdet.batch.rows import Rows, decode, encode, merge, part_name, schemas
from maskdet.batch.store import Store
from maskdet.errors import SourceError
from maskdet.prediction.pipeline import Session

#: The folders of the parts, in the order in which they are written: a shard is done when the last one is there.
FOLDERS: Final = ("faces", "pictures")

#: Errors of a shard that are told by name; all stand in its rows.
_TOLD: Final = 5


@dataclass(frozen=True, kw_only=True)
class ShardReport:
    """What became of a shard.

    Attributes:
        shard: its number.
        files: of the list that were done.
        failed: of these.
        errors: the first of their errors, each a line.
        broken: what ended it early, in one line: it has no parts then.
    """

    shard: int
    files: int = 0
    failed: int = 0
    errors: tuple[str, ...] = ()
    broken: str | None = None


class ShardWorker:
    """Models that are loaded once, for one shard after another of one run."""

    def __init__(
        self,
        store: Store,
        plan: Plan,
        models: LoadedModels,
        *,
        cores: int | None = None,
        tick: Callable[[bool], None] | None = None,
    ) -> None:
        """Open the list of a run.

        Args:
            store: where the list is, and the parts go.
            plan: what is done.
            models: of the plan, loaded with one thread a run where ``cores`` are given.
            cores: that this worker has, None for as many as the models keep busy.
            tick: is called for each file, with whether it failed.

        Raises:
            SourceError: there is no list, or one of another run.
        """
        self._store, self._plan, self._tick = store, plan, tick
        self._manifest = Manifest(store)
        if differ := differences(self._manifest.about, plan.fingerprint()):
            raise SourceError(store.location, f"a run of other models or options: {'; '.join(differ)}")
        self._predictor = models.predictor if cores is None else models.predictor._replace(workers=max(cores, 1))
        self._schemas = schemas(models.names, classifier=plan.models.mode != "detect")

    def run(self, shard: int, *, retry: bool = False) -> ShardReport:
        """Do a shard and write its parts.

        Args:
            shard: its number.
            retry: it is done; only the files that failed are done again.

        Raises:
            SourceError: the list cannot be read, or a part cannot be written.
        """
        entries = self._manifest.entries(shard)
        before = {folder: self._read(folder, shard) for folder in FOLDERS} if retry else None
        wanted = entries
        if before is not None:
            failed = {row["id"] for row in before["pictures"].select(["id", "error"]).to_pylist() if row["error"]}
            wanted = [entry for entry in entries if entry.id in failed]
        rows = Rows(self._schemas)
        errors = self._answer(wanted, rows)
        tables = rows.tables()
        if before is not None:
            redone, order = {entry.id for entry in wanted}, [entry.id for entry in entries]
            tables = {folder: merge(before[folder], tables[folder], redone, order) for folder in FOLDERS}
        for folder in FOLDERS:
            self._store.write(part_name(folder, shard, self._plan.format), encode(tables[folder], self._plan.format))
        told = tuple(str(error) for error in errors[:_TOLD])
        return ShardReport(shard=shard, files=len(wanted), failed=len(errors), errors=told)

    def _answer(self, entries: list[Entry], rows: Rows) -> list[SourceError]:
        """Do these files and add their rows; return the errors."""
        by_uri = {entry.uri: entry for entry in entries}
        errors: list[SourceError] = []
        last: Entry | None = None

        def count(entry: Entry, *, failed: bool = False) -> None:
            nonlocal last
            if self._tick is not None and entry is not last:
                self._tick(failed)
            last = entry

        def report(error: SourceError) -> None:
            errors.append(error)
            rows.fail(by_uri[error.path], error.reason)
            count(by_uri[error.path], failed=True)

        with listed_files(entries) as files:
            session = Session(
                predictor=self._predictor, batch=self._plan.batch, stride=self._plan.vid_stride, keep_pixels=False
            )
            for picture, result in session.answers(files, report=report):
                entry = by_uri[str(result.image.path)]
                rows.add(entry, result, picture.seconds)
                count(entry)
                del picture, result  # else they are held while the next is decoded
        return errors

    def _read(self, folder: str, shard: int) -> Any:
        name = part_name(folder, shard, self._plan.format)
        return decode(self._store.read(name), self._plan.format, self._schemas[folder], name)
