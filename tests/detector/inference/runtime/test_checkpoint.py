"""Checkpoints are read without running what they say."""

from __future__ import annotations

import copy
import functools
import pickle
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskdet.classes import CLASS_NAMES
from maskdet.cli import main
from maskdet.errors import MaskdetError, WeightsError

torch = pytest.importorskip("torch")
tasks = pytest.importorskip("ultralytics.nn.tasks")

from ultralytics.utils import IterableSimpleNamespace  # noqa: E402 - likewise

from maskdet.detector.inference.runtime.checkpoint import read_checkpoint  # noqa: E402 - needs torch
from maskdet.detector.inference.runtime.ultralytics_bridge import check_description, safe_loading  # noqa: E402


class Call:
    """Pickles as a call of any function."""

    def __init__(self, name: str, *arguments: Any) -> None:
        self.name, self.arguments = name, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        module, _, last = self.name.rpartition(".")
        __import__(module)
        function: Any = sys.modules[module]
        return getattr(function, last), self.arguments


def zipped(path: Path, pickled: bytes, **more: bytes) -> Path:
    """Write what ``torch.load`` takes for an archive of ``torch.save``'s."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {"data.pkl": pickled, "version": b"3\n", "byteorder": b"little", **more}.items():
            archive.writestr(f"archive/{name}", content)
    return path


@functools.cache
def _untrained() -> Any:
    return tasks.DetectionModel("yolov8n.yaml", nc=3, verbose=False)


def network(**attributes: Any) -> Any:
    built = copy.deepcopy(_untrained())
    built.names = dict(enumerate(CLASS_NAMES))
    built.args = {"imgsz": 64}
    for name, value in attributes.items():
        setattr(built, name, value)
    return built


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "good.pt"
    content = {
        "epoch": 3,
        "best_fitness": np.float64(0.5),
        "model": None,
        "ema": network().half(),
        "optimizer": {"state": {0: {"step": torch.tensor(4.0)}}, "param_groups": []},
        "namespace": IterableSimpleNamespace(epochs=3),
        "train_args": {"imgsz": 64, "data": Path("a/data.yaml")},
    }
    torch.save(content, path)
    return path


def test_a_checkpoint_of_a_training_is_read_as_it_stands(good: Path) -> None:
    plain, read = torch.load(good, weights_only=False), read_checkpoint(good)
    assert read["epoch"] == 3
    assert read["best_fitness"] == 0.5
    assert read["optimizer"]["state"][0]["step"] == 4
    assert read["train_args"] == {"imgsz": 64, "data": "a/data.yaml"}
    assert read["namespace"] == IterableSimpleNamespace(epochs=3)
    assert type(read["ema"]) is tasks.DetectionModel
    expected = plain["ema"].state_dict()
    assert list(expected) == list(read["ema"].state_dict())
    assert all(torch.equal(tensor, expected[name]) for name, tensor in read["ema"].state_dict().items())


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("os.system", ("touch EXECUTED",)),
        ("subprocess.check_output", (["touch", "EXECUTED"],)),
        ("builtins.eval", ("open('EXECUTED', 'w')",)),
        ("builtins.exec", ("open('EXECUTED', 'w')",)),
        ("builtins.getattr", (Path, "cwd")),
        ("builtins.bytearray", (10**12,)),
        ("functools.partial", (print,)),
        ("operator.methodcaller", ("touch",)),
        ("pathlib.Path", ("EXECUTED",)),
        ("io.open", ("EXECUTED", "w")),
        ("shutil.rmtree", ("nothing",)),
        ("importlib.import_module", ("antigravity",)),
        ("torch.load", ("other.pt",)),
        ("torch.jit.load", ("other.pt",)),
        ("torch.hub.load", ("ultralytics/yolov5", "yolov5s")),
        ("ultralytics.nn.tasks.yaml_model_load", ("yolov8n.yaml",)),
        ("ultralytics.nn.tasks.torch_safe_load", ("other.pt",)),
        ("ultralytics.utils.checks.check_requirements", ("nothing",)),
        # Classes that are admitted: made, but never called.
        ("ultralytics.nn.tasks.DetectionModel", ({"activation": "open('EXECUTED', 'w')", "backbone": [], "head": []},)),
        ("ultralytics.nn.modules.block.TorchVision", ("resnet18",)),
        ("torch.nn.modules.linear.Linear", (10**6, 10**6)),
    ],
)
def test_nothing_that_a_file_names_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, arguments: tuple[Any, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    pickled = pickle.dumps({"model": Call(name, *arguments)}, 2)
    for path in (zipped(tmp_path / "zip.pt", pickled), tmp_path / "bare.pt"):
        if path.name == "bare.pt":
            path.write_bytes(pickled)
        with pytest.raises(WeightsError, match=r"YOLO|no part of a network") as caught:
            read_checkpoint(path)
        assert "--trust-weights" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bare.pt", "zip.pt"]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_every_pickle_protocol_is_looked_through(
    tmp_path: Path, protocol: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = zipped(tmp_path / "evil.pt", pickle.dumps({"model": Call("os.system", "touch EXECUTED")}, protocol))
    with pytest.raises(WeightsError):
        read_checkpoint(path)
    assert not (tmp_path / "EXECUTED").exists()


def test_a_trusted_file_runs_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": network(), "extra": Call("os.mkdir", "EXECUTED")}, "own.pt")
    with pytest.raises(WeightsError, match=r"names 'posix\.mkdir'|names 'nt\.mkdir'"):
        read_checkpoint(Path("own.pt"))
    assert not Path("EXECUTED").exists()
    assert read_checkpoint(Path("own.pt"), trusted=True)["model"].names[0] == "with_mask"
    assert Path("EXECUTED").is_dir()


def _truncated(good: Path, to: Path) -> None:
    to.write_bytes(good.read_bytes()[:100_000])


def _compressed(good: Path, to: Path) -> None:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"model": 1}, 2))
        archive.writestr("archive/data/0", bytes(50_000_000))


def _script(good: Path, to: Path) -> None:
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), to)


def _table_of_tensors(good: Path, to: Path) -> None:
    torch.save({"layer.weight": torch.zeros(3)}, to)


def _old_format(good: Path, to: Path) -> None:
    torch.save({"model": 1}, to, _use_new_zipfile_serialization=False)


def _two_pickles(good: Path, to: Path) -> None:
    with zipfile.ZipFile(to, "w") as archive:
        for folder in ("a", "b"):
            archive.writestr(f"{folder}/data.pkl", pickle.dumps({}, 2))


def _wide_view(good: Path, to: Path) -> None:
    built = network()
    built.register_buffer("wide", torch.zeros(1).expand(1 << 20, 1 << 20))
    torch.save({"model": built}, to)


def _numbers(good: Path, to: Path) -> None:
    with to.open("wb") as file:
        np.savez(file, weights=np.zeros(3))


def _objects(good: Path, to: Path) -> None:
    with to.open("wb") as file:
        np.save(file, np.array([Call("os.mkdir", "EXECUTED")], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda good, to: to.write_bytes(b""), "it is empty"),
        (lambda good, to: to.write_bytes(b"hello"), "no archive"),
        (lambda good, to: to.write_bytes(b"PK\x03\x04" + bytes(99)), "damaged"),
        (_truncated, "damaged"),
        (_compressed, "larger than the file"),
        (_script, "TorchScript"),
        (_table_of_tensors, "holds no network"),
        (_old_format, "no archive"),
        (_two_pickles, "2 pickles"),
        (_wide_view, "tensors larger"),
        (_numbers, "0 pickles"),
        (_objects, "no archive"),
    ],
)
def test_files_of_other_kinds_are_one_line(
    tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path, Path], None], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "other.pt"
    make(good, path)
    with pytest.raises(WeightsError, match=reason) as caught:
        read_checkpoint(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ["other.pt"]


@pytest.fixture
def evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_data: Path) -> Iterator[Path]:
    """Yield a file that would leave another beside it, and look that none was left."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "code.pt"
    path.write_bytes(pickle.dumps(Call("os.mkdir", str(tmp_path / "EXECUTED"))))
    yield path
    assert not (tmp_path / "EXECUTED").exists()


@pytest.mark.parametrize(
    "words",
    [
        "detect {face} --weights {evil}",
        "compare {face} --weights {evil}",
        "compare --data {data} --weights {evil}",
        "val model={evil} data={data}",
        "export model={evil}",
        "export model={evil} int8=True data={data}",
        "train model={evil} data={data} epochs=1",
        "train model={good} pretrained={evil} data={data} epochs=1",
        "train model={evil} resume=True",
        "train resume={evil}",
        "benchmark --only folder --weights {evil}",
        "benchmark --only folder --yolo-weights {evil}",
    ],
)
def test_no_command_runs_a_checkpoint(
    evil: Path, good: Path, tiny_data: Path, astronaut: Path, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = [word.format(evil=evil, good=good, data=tiny_data, face=astronaut) for word in words.split()]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    last = capfd.readouterr().err.splitlines()
    assert [line for line in last if line.startswith("error: ")] == last[-1:]
    assert "code.pt: not a YOLO detection checkpoint" in last[-1]


def test_a_description_names_layers_only() -> None:
    row = [-1, 1, "Conv", [64, 3, 2]]
    check_description(
        {"activation": "torch.nn.LeakyReLU(0.1)", "backbone": [row], "head": [[-1, 1, "nn.Upsample", []]]}
    )
    for bad in (
        {"activation": "__import__('os').mkdir('EXECUTED')"},
        {"activation": "nn.SiLU() or __import__('os')"},
        {"activation": "nn.Module.__init__(1)"},
        {"activation": "nn.LeakyReLU(__import__('os'))"},
        {"backbone": [[-1, 1, "torch_load", ["other.pt"]]]},
        {"backbone": [[-1, 1, "yaml_model_load", ["other.pt"]]]},
        {"head": [[-1, 1, "nn.functional", []]]},
        {"head": [[-1, 1, "TorchVision", ["resnet18"]]]},
    ):
        with pytest.raises(MaskdetError, match="which is no layer"):
            check_description({"backbone": [row], "head": [row], **bad})


def test_a_network_is_not_built_from_evaluated_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    described = {**network().yaml, "activation": "__import__('os').mkdir('EXECUTED')"}
    with safe_loading(), pytest.raises(MaskdetError, match="activation"):
        tasks.DetectionModel(described, nc=3, verbose=False)
    assert not Path("EXECUTED").exists()


def test_ultralytics_is_as_it_was_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": network(), "extra": Call("os.getcwd")}, "own.pt")
    with safe_loading(), pytest.raises(WeightsError):
        tasks.load_checkpoint("own.pt")
    assert tasks.load_checkpoint("own.pt")[0].names[0] == "with_mask"


def test_the_list_of_admitted_names_does_not_grow(good: Path) -> None:
    before = set(map(str, torch.serialization.get_safe_globals()))
    read_checkpoint(good)
    assert set(map(str, torch.serialization.get_safe_globals())) == before
