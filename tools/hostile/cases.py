"""One hostile input for a reader, by its number: the same number always gives the same input."""

from __future__ import annotations

import functools
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from hostile import grammars, seeds, web
from hostile.mutations import NUMBERS, ODD, mutate_bytes, mutate_text

#: Commands to run on an input, each a list of words; one that begins with @ is a function of ``worker``.
Commands = list[list[str]]

DETECT: Final = ("--imgsz", "64", "--save", "out", "--json", "out/faces.jsonl")

#: Odd words that lead nowhere outside the case's folder: some are taken for the names of outputs.
_WITHIN: Final = tuple(one for one in ODD if "/" not in one)


def build(reader: str, number: int, folder: Path) -> Commands:
    """Make the input of ``reader`` with this number below ``folder``, and return what is to be run there."""
    return READERS[reader][1](Random(f"{reader}:{number}"), folder)


def plan(count: int) -> list[tuple[str, int]]:
    """Return ``count`` cases as pairs of reader and number, each reader with its share, of those that can run here."""
    able = {name: share for name, (share, _) in READERS.items() if all(map(seeds.has, _NEEDS.get(name, ())))}
    total = sum(able.values())
    return [(name, number) for name, share in able.items() for number in range(max(1, round(count * share / total)))]


def _model(folder: Path) -> list[str]:
    """Write the tiny detector and return the words that name it; without onnx the shipped one answers."""
    if not seeds.has("onnx"):
        return []
    (folder / "model.onnx").write_bytes(_tiny())
    return ["--weights", "model.onnx"]


@functools.cache
def _tiny() -> bytes:
    return seeds.detector()


def _picture(random: Random, folder: Path) -> Commands:
    known = seeds.pictures()
    ending = random.choice(sorted(known))
    bombs = seeds.bombs()
    if random.random() < 0.15:
        ending = random.choice(sorted(bombs))
        data = bombs[ending]
    else:
        data = mutate_bytes(random, known[ending], list(known.values()))
    if random.random() < 0.2:
        ending = random.choice((".jpg", ".png", ".tif", ".bmp", ".heic", ".mpo", ".avif", ".pgm", ".gif", ""))
    ending = ending.replace("16", "")
    (folder / f"in{ending}").write_bytes(data)
    return [["detect", f"in{ending}", *_model(folder), *DETECT]]


def _video(random: Random, folder: Path) -> Commands:
    known = seeds.videos()
    ending = random.choice(sorted(known))
    playlists = (
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n",
        "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '/etc/passwd'\n",
        "ffconcat version 1.0\nfile 'in.mp4'\n" * 3,
        "v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    )
    if random.random() < 0.15:
        data = random.choice(playlists).encode()
        ending = random.choice((".mp4", ".avi", ".m3u8", ".ts", ".mkv"))
    else:
        data = mutate_bytes(random, known[ending], list(known.values()))
    (folder / f"in{ending}").write_bytes(data)
    return [["detect", f"in{ending}", *_model(folder), *DETECT]]


def _voc_folder(random: Random, folder: Path, text: bytes) -> Path:
    root = folder / "voc"
    (root / "images").mkdir(parents=True)
    (root / "annotations").mkdir()
    for stem in ("a", "b", "c"):
        (root / "images" / f"{stem}.png").write_bytes(seeds.pictures()[".png"])
        (root / "annotations" / f"{stem}.xml").write_text(seeds.VOC.replace("a.png", f"{stem}.png"))
    (root / "annotations" / "a.xml").write_bytes(text)
    return root


def _voc(random: Random, folder: Path) -> Commands:
    if random.random() < 0.4:
        text = grammars.xml(random, folder).encode("utf-8", "surrogatepass")
    else:
        text = mutate_text(random, seeds.VOC)
    _voc_folder(random, folder, text)
    more = random.choice(([], ["--keep-going"], ["--skip-unknown"], ["--images", "copy"], ["--no-duplicates"]))
    return [
        random.choice(
            (["convert", "voc", "out", "--quiet", *more], ["data", "check", "voc", "--quiet", "--json", "out.json"])
        )
    ]


def _yolo_folder(folder: Path) -> None:
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (folder / "set" / kind / split).mkdir(parents=True)
        (folder / "set/images" / split / f"{split}.png").write_bytes(seeds.pictures()[".png"])
        (folder / "set/labels" / split / f"{split}.txt").write_text(seeds.LABELS)
    (folder / "set/data.yaml").write_text(seeds.DATA_YAML)


def _of_data(random: Random, folder: Path) -> Commands:
    """Return a command that reads a data.yaml."""
    ways = [
        ["data", "check", "set/data.yaml", "--quiet", "--json", "out.json"],
        ["data", "check", "set", "--quiet"],
        ["data", "stats", "set"],
    ]
    if seeds.has("onnx") and seeds.has("faster_coco_eval"):
        _model(folder)
        ways.append(["val", "model=model.onnx", "data=set/data.yaml", "imgsz=64"])
    return [random.choice(ways)]


def _labels(random: Random, folder: Path) -> Commands:
    _yolo_folder(folder)
    path = folder / "set/labels/val/val.txt"
    if random.random() < 0.4:
        path.write_bytes(grammars.labels(random, folder).encode("utf-8", "surrogatepass"))
    else:
        path.write_bytes(mutate_text(random, seeds.LABELS))
    return _of_data(random, folder)


def _data_yaml(random: Random, folder: Path) -> Commands:
    _yolo_folder(folder)
    if random.random() < 0.6:
        text = grammars.yaml(random, folder).encode("utf-8", "surrogatepass")
    else:
        text = mutate_text(random, seeds.DATA_YAML)
    (folder / "set/data.yaml").write_bytes(text)
    (folder / "set/list.txt").write_text("./images/val/val.png\n")
    return _of_data(random, folder)


def _list(random: Random, folder: Path) -> Commands:
    _yolo_folder(folder)
    text = "./images/val/val.png\nimages/val/val.png\n" + random.choice(
        ("", "/etc/passwd\n", "..\n", "set\n", "list.txt\n", "/dev/zero\n")
    )
    (folder / "set/list.txt").write_bytes(mutate_text(random, text))
    (folder / "set/data.yaml").write_text(seeds.DATA_YAML.replace("val: images/val", "val: list.txt"))
    if random.random() < 0.2:
        return [["detect", "set/list.txt", *_model(folder), *DETECT]]
    return _of_data(random, folder)


def _image_sets(random: Random, folder: Path) -> Commands:
    root = _voc_folder(random, folder, seeds.VOC.encode())
    lists = root / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for name, text in (("train", "a\n"), ("val", "b\n"), ("test", "c\n")):
        (lists / f"{name}.txt").write_text(text)
    (lists / f"{random.choice(('train', 'val', 'test'))}.txt").write_bytes(mutate_text(random, seeds.IMAGE_SET))
    return [["convert", "voc", "out", "--split", "voc", "--quiet"]]


def _groups(random: Random, folder: Path) -> Commands:
    _voc_folder(random, folder, seeds.VOC.encode())
    (folder / "groups.csv").write_bytes(mutate_text(random, seeds.GROUPS))
    return [["convert", "voc", "out", "--groups", "groups.csv", "--quiet"]]


def _class_map(random: Random, folder: Path) -> Commands:
    name = random.choice(("hat", "", *ODD)).replace("<", "").replace("&", "").replace("\x00", "")
    _voc_folder(random, folder, seeds.VOC.replace("with_mask", name or "hat").encode("utf-8", "replace"))
    words = [grammars.class_words(random).replace("\x00", "") for _ in range(random.choice((1, 2)))]
    maps = [word for one in words for word in ("--map", one)]
    return [random.choice((["convert", "voc", "out", "--quiet", *maps], ["data", "check", "voc", "--quiet", *maps]))]


def _manifest(random: Random, folder: Path) -> Commands:
    (folder / "manifest.csv").write_bytes(mutate_text(random, seeds.MANIFEST))
    return [["@read_manifest", "manifest.csv"]]


def _results(random: Random, folder: Path) -> Commands:
    if random.random() < 0.5:
        text = grammars.result_lines(random, folder).encode()
    else:
        text = mutate_text(random, seeds.results())
    (folder / "in.jsonl").write_bytes(text)
    return [["@read_results", "in.jsonl"]]


def _onnx(random: Random, folder: Path) -> Commands:
    values = (
        *NUMBERS,
        "[]",
        "{}",
        "[64]",
        "[64, 64, 64]",
        "[1e9, 1e9]",
        "[-32, 64]",
        "null",
        "(" * 5000,
        "[" * 100_000,
        *ODD,
    )
    calls = f"__import__('os').system({grammars.commands(folder)!r})"
    names = (
        "{}",
        "[]",
        "{0: 'a'}",
        "{0: 'with_mask', 2: 'without_mask'}",
        "{0: 0, 1: 1, 2: 2}",
        calls,
        "'" * 99,
        "{" * 9999,
    )
    keys = (
        "imgsz",
        "stride",
        "task",
        "names",
        "maskdet_close_ups",
        "maskdet_thresholds",
        "maskdet_calibration",
        "maskdet_training",
    )
    if random.random() < 0.4:
        key = random.choice(keys)
        data = seeds.detector(**{key: random.choice(names if key == "names" else values).replace("\ud800", "")})
    else:
        data = mutate_bytes(random, _tiny(), [_tiny()])
    (folder / "model.onnx").write_bytes(data)
    (folder / "in.png").write_bytes(seeds.pictures()[".png"])
    kind = random.random()
    if kind < 0.8:
        return [
            ["detect", "in.png", "--weights", "model.onnx", *DETECT, *random.choice(([], ["--conf", "f1"], ["--tile"]))]
        ]
    return [["classify", "in.png", "--weights", "model.onnx"]]


def _checkpoint(random: Random, folder: Path) -> Commands:
    way = random.random()
    if way < 0.3:
        data = seeds.checkpoint(grammars.pickled(random, folder))
    elif way < 0.5:
        data = grammars.bare_pickle(random, folder)
    else:
        data = mutate_bytes(random, seeds.checkpoint({"names": "x"}))
    (folder / "model.pt").write_bytes(data)
    (folder / "in.png").write_bytes(seeds.pictures()[".png"])
    return [["detect", "in.png", "--weights", "model.pt", "--save", "out"]]


def _words(random: Random, folder: Path) -> Commands:
    (folder / "in.png").write_bytes(seeds.pictures()[".png"])
    _yolo_folder(folder)
    model = _model(folder)
    sources = (
        "in.png",
        "set",
        "nowhere",
        "*.png",
        "",
        " ",
        "-x",
        "in.png/",
        "set/data.yaml",
        ".",
        "in.png:0",
        *_WITHIN,
    )
    options = (
        "--conf", "--iou", "--imgsz", "--device", "--batch", "--json", "--csv", "--save", "--save-txt", "--save-voc", "--coco",
        "--vid-stride", "--fail-on", "--mode", "--runtime", "--tile", "--track", "--nonsense", "--precision", "--classifier",
    )  # fmt: skip
    values = (*NUMBERS[:20], "in.png", "out", "", "set", "/proc/none", "cpu", "cuda:9", "f1", "-", *_WITHIN)
    command = random.choice(
        ("detect", "detect", "detect", "classify", "compare", "convert", "data", "export", "info", "val", "no", "")
    )
    words = [command]
    if command == "data":
        words.append(random.choice(("check", "stats", "no")))
    if command in {"val", "export"}:
        keys = ("model", "data", "imgsz", "conf", "iou", "device", "split", "nonsense")
        words += [f"{random.choice(keys)}={random.choice(values)}" for _ in range(random.choice((1, 2)))]
    else:
        words += [random.choice(sources) for _ in range(random.choice((1, 1, 2)))]
        words += [random.choice((*options, *values)) for _ in range(random.choice((0, 1, 2, 3)))]
    if command == "detect" and random.random() < 0.8:
        words += [*model, "--imgsz", "64"]
    # As Python hands on what a shell may give: no NUL, and bytes that are no UTF-8 as lone surrogates.
    return [[word.replace("\x00", "").replace("\ud800", "\udcff") for word in words]]


def _web(random: Random, folder: Path) -> Commands:
    return [["detect", web.address(random), *_model(folder), *DETECT]]


def _surroundings(random: Random, folder: Path) -> Commands:
    """Return a source or an output among pipes, links, devices and odd names."""
    good = seeds.pictures()[".png"]
    (folder / "good.png").write_bytes(good)
    target = folder / "in.png"
    outputs = list(DETECT)
    way = random.choice(sorted(_PLACES))
    named = _PLACES[way](folder, target, outputs)
    sources = [str(named)] if random.random() < 0.6 else [".", str(named)]
    return [["detect", *sources, "good.png", *_model(folder), *outputs]]


def _socket(folder: Path, target: Path, outputs: list[str]) -> Path:
    here = Path.cwd()
    os.chdir(folder)  # its path may be longer than a socket's may be
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(target.name)
    finally:
        os.chdir(here)
    return target


def _after(make: Callable[[Path, Path], object]) -> Callable[[Path, Path, list[str]], Path]:
    def place(folder: Path, target: Path, outputs: list[str]) -> Path:
        made = make(folder, target)
        return made if isinstance(made, Path) else target

    return place


def _output(*words: str) -> Callable[[Path, Path, list[str]], Path]:
    def place(folder: Path, target: Path, outputs: list[str]) -> Path:
        outputs[:] = ["--imgsz", "64", *words]
        return folder / "good.png"

    return place


def _long(folder: Path, target: Path) -> Path:
    path = folder / ("n" * 251 + ".png")
    path.write_bytes(seeds.pictures()[".png"])
    return path


def _odd_name(folder: Path, target: Path) -> Path:
    path = folder / os.fsdecode(b"a\xff\x1b[31m\n\xe2\x80\xae.png")
    path.write_bytes(seeds.pictures()[".png"])
    return path


def _many(folder: Path, target: Path) -> Path:
    path = folder / "/".join(["d"] * 200)
    path.mkdir(parents=True)
    return folder / "d"


_PLACES: Final = {
    "pipe": _after(lambda folder, target: os.mkfifo(target)),
    "socket": _socket,
    "folder": _after(lambda folder, target: target.mkdir()),
    "dead-link": _after(lambda folder, target: target.symlink_to("gone.png")),
    "own-link": _after(lambda folder, target: target.symlink_to("in.png")),
    "link-up": _after(lambda folder, target: target.symlink_to("..")),
    "device": _after(lambda folder, target: Path("/dev/zero")),
    "null": _after(lambda folder, target: Path("/dev/null")),
    "empty": _after(lambda folder, target: target.touch()),
    "no-rights": _after(lambda folder, target: target.touch(0)),
    "long-name": _after(_long),
    "too-long": _after(lambda folder, target: folder / ("n" * 5000 + ".png")),
    "odd-name": _after(_odd_name),
    "deep": _after(_many),
    "proc": _after(lambda folder, target: Path("/proc/self/mem")),
    "save-is-file": _output("--save", "good.png"),
    "json-is-folder": _output("--json", "."),
    "json-over-input": _output("--json", "good.png"),
    "csv-over-input": _output("--csv", "good.png"),
    "full": _output("--json", "/dev/full"),
    "no-such": _output("--csv", "/proc/none/a.csv"),
    "save-here": _output("--save", "."),
    "long-out": _output("--save", "n" * 300),
}

#: Reader -> its share of the cases, and what makes one.
READERS: Final[dict[str, tuple[int, Callable[[Random, Path], Commands]]]] = {
    "picture": (300, _picture),
    "video": (80, _video),
    "voc": (250, _voc),
    "labels": (120, _labels),
    "data-yaml": (200, _data_yaml),
    "list": (50, _list),
    "image-sets": (40, _image_sets),
    "groups": (40, _groups),
    "class-map": (40, _class_map),
    "manifest": (60, _manifest),
    "results": (120, _results),
    "onnx": (120, _onnx),
    "checkpoint": (20, _checkpoint),
    "words": (120, _words),
    "web": (50, _web),
    **({} if sys.platform == "win32" else {"surroundings": (60, _surroundings)}),
}

#: What a reader cannot do without.
_NEEDS: Final = {"onnx": ("onnx",), "checkpoint": ("torch", "ultralytics")}
