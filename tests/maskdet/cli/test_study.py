from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from maskdet.cli import cli

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    def call(*args: str) -> Result:
        return CliRunner().invoke(cli, ["study", *args], standalone_mode=False)

    return call


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = Path(__file__).parents[2] / "classifier" / "conftest.py"
    spec = importlib.util.spec_from_file_location("classifier_conftest", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    root: Path = module.write_faces(tmp_path_factory.mktemp("voc"))
    return root


def test_the_list_has_the_printed_counts(run: Run) -> None:
    pytest.importorskip("torchvision")
    rows = {row["name"]: row for row in json.loads(run("--list", "--json", "-").stdout)}
    assert {name: row["keras_total"] for name, row in rows.items()} == {
        "cnn-a": 8_620_441, "cnn-b": 19_691_695, "cnn-c": 520_244_417, "mobilenet_v2": 18_355_777,
        "vgg19": 20_294_977, "resnet50": 24_644_737, "inception_v3": 22_073_377,
    }  # fmt: skip
    assert "8,620,441" in run("--list").stdout


def test_one_network_from_photos_to_report_and_again(run: Run, faces: Path, tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    out = tmp_path / "study"
    args = (str(faces), "--networks", "cnn-a", "--epochs", "1", "--out", str(out))
    first = run(*args, "--json", "-")
    assert first.return_value == 0, first.output
    figures = json.loads(first.stdout)
    assert figures["schema"] == "maskdet-study/1"
    report = (out / "report.md").read_text(encoding="utf-8")
    assert "CNN-A" in report and str(tmp_path) not in report
    assert f"maskdet study {faces.name} --networks cnn-a --out study --epochs 1" in report
    before = {path.name: path.read_bytes() for path in out.glob("*.csv")}
    again = run(*args, "--quiet")
    assert (again.return_value, again.stdout) == (0, "")
    assert {path.name: path.read_bytes() for path in out.glob("*.csv")} == before


def test_weights_that_cannot_be_had_are_one_line_and_the_rest_goes_on(run: Run, faces: Path, tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    args = (str(faces), "--networks", "cnn-a,vgg19", "--epochs", "1", "--out", str(tmp_path / "s"))
    done = run(*args, "--backbone-weights", f"vgg19={tmp_path / 'no.pth'}")
    assert done.return_value == 2
    assert [line for line in done.stderr.splitlines() if line.startswith("error")] == [
        f"error: vgg19: {tmp_path / 'no.pth'}: no such file; give torchvision's vgg19-dcbb9e9d.pth with "
        "--backbone-weights FILE, or train from scratch with --backbone-weights none"
    ]
    assert "not run: weights unavailable" in (tmp_path / "s" / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("nowhere",), "no such folder"),
        (("{faces}", "--networks", "alexnet"), "unknown network 'alexnet'"),
        (("{faces}", "--backbone-weights", "no.pth"), "no such file"),
        ((), "which data?"),
    ],
)
def test_bad_input_is_one_line(run: Run, faces: Path, args: tuple[str, ...], words: str) -> None:
    pytest.importorskip("torchvision")
    done = run(*(arg.replace("{faces}", str(faces)) for arg in args))
    assert words in str(done.exception)
    assert "\n" not in str(done.exception)
