"""A run from its sources to its parts, and on from wherever it was ended."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maskdet.batch.run import Limit
from maskdet.batch.shard import ShardWorker

Command = Callable[..., tuple[int, str, str]]
FilesOf = Callable[[Path], dict[str, bytes]]
RowsOf = Callable[[Path, str], list[dict[str, Any]]]


def detected(maskdet: Command, *args: str | Path) -> list[dict[str, Any]]:
    """Return what ``maskdet detect --json`` says of the same sources."""
    return [json.loads(line) for line in maskdet("detect", *args, "--json", "-")[1].splitlines()]


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_rows_are_those_of_detect(maskdet: Command, rows_of: RowsOf, photos: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "run"
    assert maskdet("batch", photos, "--out", out, "--shard-size", 5, "--format", form)[0] == 0
    results = detected(maskdet, photos)
    pictures, faces = rows_of(out, "pictures"), rows_of(out, "faces")
    assert [row["uri"] for row in pictures] == [one["image"]["path"] for one in results]
    for row, one in zip(pictures, results, strict=True):
        told = {
            "width": one["image"]["width"],
            "height": one["image"]["height"],
            "frame": None,
            "faces": one["summary"]["faces"],
            "counts": one["counts"],
        }
        assert told.items() <= row.items()
        assert (row["compliance"], row["error"]) == (one["summary"]["compliance"], None)
    wanted = [
        {"uri": one["image"]["path"], "name": face["name"], "class": face["class"], **face["box"]}
        | {"confidence": face["confidence"]}
        for one in results
        for face in one["detections"]
    ]
    assert len(wanted) >= 12
    assert [{key: row[key] for key in wanted[0]} for row in faces] == wanted
    assert {row["id"] for row in faces} <= {row["id"] for row in pictures}
    assert sorted(path.name for path in (out / "faces").iterdir()) == [f"part-0000{part}.{form}" for part in range(3)]
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["files"], summary["failed"], summary["faces"]) == (12, 0, len(wanted))
    assert (out / "_SUCCESS").read_bytes() == (out / "errors.jsonl").read_bytes() == b""


@pytest.mark.parametrize("shards_done", [0, 1, 2])
def test_a_run_that_was_ended_goes_on(
    maskdet: Command,
    files_of: FilesOf,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shards_done: int,
) -> None:
    words = ["batch", photos, "--shard-size", 4]
    assert maskdet(*words, "--out", tmp_path / "whole")[0] == 0
    done: list[int] = []
    run_shard = ShardWorker.run

    def interrupted(self: ShardWorker, shard: int, *, retry: bool = False) -> Any:
        if len(done) == shards_done:
            raise KeyboardInterrupt
        done.append(shard)
        return run_shard(self, shard, retry=retry)

    with monkeypatch.context() as patch:
        patch.setattr(ShardWorker, "run", interrupted)
        code, out, err = maskdet(*words, "--out", tmp_path / "run")
    assert (code, out) == (130, "")
    assert "--resume" in err
    assert not (tmp_path / "run" / "_SUCCESS").exists()
    assert len(list(tmp_path.glob("run/pictures/*"))) == shards_done
    code, _, err = maskdet(*words, "--out", tmp_path / "run", "--resume")
    assert code == 0
    assert ("of 3 shards are done already" in err) is (shards_done > 0)
    assert files_of(tmp_path / "run") == files_of(tmp_path / "whole")


def test_half_a_shard_is_done_again(maskdet: Command, files_of: FilesOf, photos: Path, tmp_path: Path) -> None:
    words = ["batch", photos, "--shard-size", 4, "--out", tmp_path / "run"]
    assert maskdet(*words)[0] == 0
    whole = files_of(tmp_path / "run")
    (tmp_path / "run/pictures/part-00001.parquet").unlink()
    (tmp_path / "run/faces/part-00001.parquet").write_bytes(b"of another run")
    assert maskdet(*words, "--resume")[0] == 0
    assert files_of(tmp_path / "run") == whole


def test_other_options_are_refused_by_name(maskdet: Command, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ["batch", photos, "--out", out]
    assert maskdet(*words)[0] == 0
    code, _, err = maskdet(*words, "--resume", "--conf", 0.5, "--vid-stride", 2)
    assert code == 2
    assert "--conf not given before, 0.5 now; --vid-stride 1 before, 2 now" in err
    code, _, err = maskdet(*words, "--resume", "--weights", "maskdet-n-int8")
    assert code == 2
    assert "the model of --weights (sha256 " in err
    code, _, err = maskdet("batch", photos / "00.png", "--out", out, "--resume")
    assert code == 2
    assert f"the sources ({photos} before, {photos / '00.png'} now)" in err
    assert maskdet("batch", "--out", out, "--resume")[0] == 0
    code, _, err = maskdet(*words)
    assert code == 2
    assert "holds a run already: --resume goes on with it, --overwrite begins anew" in err


def test_broken_files_are_a_row_each(maskdet: Command, rows_of: RowsOf, photos: Path, tmp_path: Path) -> None:
    for number in range(2, 12, 3):
        (photos / f"{number:02d}.png").write_bytes((photos / f"{number:02d}.png").read_bytes()[:60])
    (photos / "a text.jpg").write_text("no picture")
    (photos / "empty.jpg").touch()
    words = ["batch", photos, "--shard-size", 5]
    code, out, err = maskdet(*words, "--out", tmp_path / "run")
    assert code == 2
    assert err.count("error: ") == 6
    assert "6 failed, see errors.jsonl" in out
    rows = rows_of(tmp_path / "run", "pictures")
    assert len(rows) == len({row["id"] for row in rows}) == 14
    failed = {Path(row["uri"]).name: row["error"] for row in rows if row["error"]}
    assert sorted(failed) == ["02.png", "05.png", "08.png", "11.png", "a text.jpg", "empty.jpg"]
    assert failed["empty.jpg"] == "the file is empty (0 bytes)"
    told = [json.loads(line) for line in (tmp_path / "run/errors.jsonl").read_text().splitlines()]
    assert {Path(one["uri"]).name: one["error"] for one in told} == failed
    assert (tmp_path / "run/_SUCCESS").exists()

    assert maskdet(*words, "--out", tmp_path / "some", "--max-errors", "50%")[0] == 0
    code, _, err = maskdet(*words, "--out", tmp_path / "few", "--max-errors", "1")
    assert code == 2
    assert "errors are more than --max-errors" in err
    assert not (tmp_path / "few/_SUCCESS").exists()
    # What stopped it stays known.
    assert maskdet(*words, "--out", tmp_path / "few", "--max-errors", "1", "--resume")[0] == 2
    assert maskdet(*words, "--out", tmp_path / "few", "--max-errors", "6", "--resume")[0] == 0


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_what_failed_is_done_again(
    maskdet: Command, files_of: FilesOf, photos: Path, tmp_path: Path, form: str
) -> None:
    words = [
        "batch",
        photos,
        "--shard-size",
        5,
        "--format",
        form,
        "--out",
        tmp_path / "run",
    ]
    assert maskdet(*words)[0] == 0
    whole = files_of(tmp_path / "run")
    away = tmp_path / "away"
    for name in ("03.png", "11.png"):
        shutil.move(photos / name, tmp_path / name)
    (tmp_path / "run/pictures" / f"part-00000.{form}").unlink()
    (tmp_path / "run/pictures" / f"part-00002.{form}").unlink()
    assert maskdet(*words, "--resume")[0] == 2
    assert not away.exists()
    assert json.loads((tmp_path / "run/summary.json").read_text())["failed"] == 2
    for name in ("03.png", "11.png"):
        shutil.move(tmp_path / name, photos / name)
    assert maskdet(*words, "--resume")[0] == 2, "nothing is left to do, and two failed"
    assert maskdet(*words, "--retry-failed")[0] == 0
    assert files_of(tmp_path / "run") == whole


def test_frames_of_videos_are_pictures(
    maskdet: Command,
    rows_of: RowsOf,
    photos: Path,
    write_video: Callable[..., Path],
    tmp_path: Path,
) -> None:
    write_video("photos/clip.avi", frames=7)
    words = ["batch", photos, "--vid-stride", 3, "--out", tmp_path / "run"]
    assert maskdet(*words)[0] == 0
    rows = [row for row in rows_of(tmp_path / "run", "pictures") if row["uri"].endswith("clip.avi")]
    assert [row["frame"] for row in rows] == [0, 3, 6]
    assert [row["seconds"] for row in rows] == pytest.approx([0, 0.3, 0.6])
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    assert (summary["files"], summary["pictures"]) == (13, 15)


def test_faces_of_a_class_end_with_one(maskdet: Command, photos: Path, tmp_path: Path) -> None:
    words = ["batch", photos, "--out", tmp_path / "run"]
    assert maskdet(*words, "--fail-on", "without_mask")[0] == 1
    assert maskdet(*words, "--resume")[0] == 0
    code, _, err = maskdet(*words, "--fail-on", "no_such_class", "--resume")
    assert code == 2
    assert "--fail-on no_such_class: the classes are with_mask" in err


def test_a_dry_run_writes_nothing(maskdet: Command, photos: Path, tmp_path: Path) -> None:
    words = ["batch", photos, "--shard-size", 5, "--out", tmp_path / "run"]
    code, out, _ = maskdet(*words, "--dry-run")
    assert code == 0
    assert out.startswith("12 files, 0 of them videos")
    assert out.endswith("in 3 shards; nothing is written\n")
    assert not (tmp_path / "run").exists()
    assert maskdet(*words)[0] == 0
    (tmp_path / "run/pictures/part-00002.parquet").unlink()
    assert maskdet(*words, "--dry-run", "--resume")[1] == "2 of 3 shards are done; 2 of 12 files are left\n"


def test_what_is_there_is_kept(maskdet: Command, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ["batch", photos, "--out", out]
    (out / "faces").mkdir(parents=True)
    (out / "faces/part-00000.parquet").write_bytes(b"mine")
    code, _, err = maskdet(*words, "--overwrite")
    assert code == 2
    assert "holds part-00000.parquet, and no list of a run: choose another --out" in err
    (out / "faces/part-00000.parquet").unlink()
    (out / "notes.txt").write_text("mine")
    assert maskdet(*words)[0] == 2
    (out / "notes.txt").unlink()
    assert maskdet(*words)[0] == 0
    (out / "notes.txt").write_text("mine")
    assert maskdet(*words, "--overwrite", "--limit", 2)[0] == 0
    assert (out / "notes.txt").read_text() == "mine"
    assert json.loads((out / "summary.json").read_text())["files"] == 2


def test_an_error_nobody_expected_costs_its_shard(
    maskdet: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_shard = ShardWorker.run

    def broken(self: ShardWorker, shard: int, *, retry: bool = False) -> Any:
        if shard == 1:
            raise RuntimeError("no such kernel")
        return run_shard(self, shard, retry=retry)

    words = ["batch", photos, "--shard-size", 4, "--out", tmp_path / "run"]
    with monkeypatch.context() as patch:
        patch.setattr(ShardWorker, "run", broken)
        code, _, err = maskdet(*words)
    assert code == 2
    assert "error: shard 1: unexpected RuntimeError: no such kernel\n" in err
    assert sorted(path.name for path in (tmp_path / "run/pictures").iterdir()) == [
        "part-00000.parquet",
        "part-00002.parquet",
    ]
    assert maskdet(*words, "--resume")[0] == 0


def test_options_that_contradict(maskdet: Command, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    for words, told in (
        (["--resume", "--overwrite"], "--overwrite and --resume contradict each other"),
        (["--mode", "detect", "--classifier", "maskdet-c"], "--classifier belongs to --mode chain or compare"),
        (["--max-errors", "few"], "'few' is neither a number of files nor a percentage"),
    ):
        code, _, err = maskdet("batch", photos, "--out", out, *words)
        assert code == 2
        assert told in err
    code, _, err = maskdet("batch", "--out", out)
    assert code == 2
    assert "SOURCE" in err
    code, _, err = maskdet("batch", tmp_path / "nowhere", "--out", out)
    assert (code, err) == (2, f"error: {tmp_path}/nowhere: no such file or folder\n")
    assert not out.exists()


def test_a_limit_is_a_share_or_a_number() -> None:
    assert [Limit.parse("1%").passed(failed, 200) for failed in (2, 3)] == [False, True]
    assert [Limit.parse("5").passed(failed, 10) for failed in (5, 6)] == [False, True]
    assert not Limit.parse("0").passed(0, 10)
    for text in ("", "-1", "101%", "nan%", "1.5", "many"):
        with pytest.raises(ValueError, match="is neither"):
            Limit.parse(text)
