"""Results and pictures in an object store: a real S3 server on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maskdet.batch.store import FolderStore, is_stored, open_store
from maskdet.errors import SourceError
from maskdet.files.atomic import hold

s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed: pip install 'maskdet[batch]'")
server = pytest.importorskip("moto.server", reason="moto is not installed: pip install 'maskdet[dev]'")

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Return the address of a server that speaks S3."""
    running = server.ThreadedMotoServer(port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def s3(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a file system on the server with an empty bucket, ``shop``, that every ``s3://`` address leads to."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem(use_listings_cache=False)
    system.mkdir("shop")
    yield system
    system.rm("shop", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


def rows(system: Any, folder: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    found: list[dict[str, Any]] = []
    for name in sorted(system.ls(folder)):
        with system.open(name) as file:
            found += pq.ParquetFile(file).read().to_pylist()
    return found


def test_pictures_and_results_lie_in_a_bucket(
    maskdet: Command, s3: Any, photos: Path, write_video: Callable[..., Path], rows_of: Any, tmp_path: Path
) -> None:
    write_video("photos/clip.avi", frames=4)
    (photos / "broken.jpg").write_bytes(b"no picture")
    (photos / "notes.txt").write_text("no picture either")
    s3.put(str(photos), "shop/photos", recursive=True)
    assert maskdet("batch", photos, "--out", tmp_path / "run", "--vid-stride", 2, "--shard-size", 5)[0] == 2
    words = ["batch", "s3://shop/photos", "--out", "s3://shop/run", "--vid-stride", 2, "--shard-size", 5]
    code, out, err = maskdet(*words)
    assert code == 2
    assert err == "error: s3://shop/photos/broken.jpg: not a picture that can be read, but a text\n"
    assert out.endswith("1 failed, see errors.jsonl: s3://shop/run\n")
    for folder in ("pictures", "faces"):
        local, stored = rows_of(tmp_path / "run", folder), rows(s3, f"shop/run/{folder}")
        assert len(local) >= 14
        for mine, theirs in zip(local, stored, strict=True):
            assert theirs["uri"] == f"s3://shop/photos/{Path(mine['uri']).name}"
            assert mine["id"] != theirs["id"]
            for key in ("id", "uri", "time"):
                mine.pop(key, None), theirs.pop(key, None)
            assert mine == theirs
    listed = rows(s3, "shop/run/manifest.parquet")
    assert {row["uri"]: row["etag"] for row in listed} == {
        f"s3://{name}": info["ETag"].strip('"')
        for name, info in s3.find("shop/photos", detail=True).items()
        if not name.endswith(".txt")
    }
    assert json.loads(s3.cat("shop/run/errors.jsonl"))["uri"] == "s3://shop/photos/broken.jpg"
    assert s3.exists("shop/run/_SUCCESS")

    before = {name: s3.cat(name) for name in s3.find("shop/run")}
    s3.rm(["shop/run/_SUCCESS", "shop/run/faces/part-00001.parquet", "shop/run/pictures/part-00001.parquet"])
    assert maskdet(*words, "--resume")[0] == 2
    assert {name: s3.cat(name) for name in s3.find("shop/run")} == before
    assert maskdet(*words)[2].startswith("error: s3://shop/run: holds a run already")
    assert maskdet(*words, "--overwrite", "--limit", 2)[0] == 0
    assert json.loads(s3.cat("shop/run/summary.json"))["files"] == 2


def test_patterns_and_single_objects(maskdet: Command, s3: Any, photos: Path, tmp_path: Path) -> None:
    s3.put(str(photos), "shop/photos", recursive=True)
    out = tmp_path / "run"
    assert maskdet("batch", "s3://shop/photos/0[12].png", "s3://shop/photos/01.png", "--out", out)[0] == 0
    assert json.loads((out / "summary.json").read_text())["files"] == 2
    code, _, err = maskdet("batch", "s3://shop/nothing", "--out", tmp_path / "none")
    assert (code, err) == (2, "error: s3://shop/nothing: no pictures or videos there\n")
    code, _, err = maskdet("batch", "s3://no-bucket/a", "--out", tmp_path / "none")
    assert code == 2
    assert err.startswith("error: s3://no-bucket/a: ")


def test_an_object_that_has_gone_is_a_row(maskdet: Command, s3: Any, photos: Path, tmp_path: Path) -> None:
    s3.put(str(photos), "shop/photos", recursive=True)
    out = tmp_path / "run"
    (tmp_path / "list.csv").write_text("uri\ns3://shop/photos/01.png\ns3://shop/photos/gone.png\n")
    code, _, err = maskdet("batch", tmp_path / "list.csv", "--out", out)
    assert (code, err) == (2, "error: s3://shop/photos/gone.png: no such file\n")
    s3.copy("shop/photos/02.png", "shop/photos/gone.png")
    assert maskdet("batch", tmp_path / "list.csv", "--out", out, "--retry-failed")[0] == 0


def test_what_an_address_is() -> None:
    assert [is_stored(name) for name in ("s3://a/b", "gs://a", "memory://a", "a/b.jpg", "c:\\a", "file:///a")] == [
        *[True] * 3,
        *[False] * 3,
    ]
    assert not is_stored("http://example.org/a.jpg")
    assert not is_stored("rtsp://camera/1")


def test_a_folder_is_written_whole(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "run")
    assert store.names("faces") == set()
    store.write("faces/a", b"1")
    store.write("faces/a", b"2")
    (tmp_path / "run/faces/.hidden").touch()
    assert (store.names("faces"), store.read("faces/a")) == ({"a"}, b"2")
    store.remove("faces/a")
    store.remove("faces/a")
    half = [tmp_path / "run/faces" / f".part-0000{number}.parquet.0123abcd.part" for number in range(2)]
    for path in half:
        path.touch()
    with half[0].open("rb") as held:
        hold(held.fileno())
        store.tidy("faces")
    assert [path.exists() for path in half] == [True, False], "somebody works on the first"
    with pytest.raises(SourceError, match="faces/a: cannot be read"):
        store.read("faces/a")


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("", "the name is empty"),
        ("http://example.org/run", "addresses of this kind cannot be written"),
        ("no-such-scheme://run", "addresses of this kind cannot be written"),
        (__file__, "--out takes a folder, and this is a file"),
    ],
)
def test_places_that_are_none(out: str, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        open_store(out)
