"""What an import pulls in: the way to a prediction must stay light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "torchvision", "ultralytics", "pandas", "matplotlib", "scipy", "supervision", "openvino"}


#: What one photo, shown as a table and saved with its boxes, has no use for.
OF_OTHER_TASKS = {
    "maskdet.alerts",
    "maskdet.benchmark",
    "maskdet.chain.evaluation",
    "maskdet.classifier.crops.crop",
    "maskdet.classifier.training",
    "maskdet.cli.failures",
    "maskdet.cli.hints",
    "maskdet.datasets",
    "maskdet.detector.evaluation.calibration",
    "maskdet.detector.inference.runtime.torch_runtime",
    "maskdet.imaging.av1",
    "maskdet.results.rows",
    "maskdet.sessions.openvino_session",
    "maskdet.sources.encoded",
    "maskdet.sources.fetch",
    "maskdet.sources.listing",
    "maskdet.sources.remote",
    "maskdet.tracking",
    "maskdet.writers.texts",
    "maskdet.writers.video",
    "maskdet.writers.viewer",
}

#: Parts of the standard library that only other tasks need.
UNUSED_STDLIB = {"base64", "csv", "hmac", "mmap", "secrets", "select", "tempfile"}


def all_modules_after(code: str) -> set[str]:
    """Return the full names of the modules that a fresh interpreter has loaded after ``code``."""
    script = f"{code}\nimport sys\nprint('MODULES', *sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.rsplit("MODULES", 1)[1].split())


def modules_after(code: str) -> set[str]:
    """Return their top-level names."""
    return {name.split(".")[0] for name in all_modules_after(code)}


def test_detect_loads_nothing_heavy(astronaut: Path) -> None:
    code = f"""
from maskdet.cli import cli
cli.main(["detect", {str(astronaut)!r}, "--no-save"], standalone_mode=False)
"""
    assert not modules_after(code) & HEAVY


def test_detect_loads_what_one_photo_needs(astronaut: Path, tmp_path: Path) -> None:
    code = f"""
from maskdet.cli import cli
cli.main(["detect", {str(astronaut)!r}, "--save", {str(tmp_path)!r}], standalone_mode=False)
"""
    loaded = all_modules_after(code)
    assert "maskdet.writers.pictures" in loaded
    assert not loaded & (OF_OTHER_TASKS | UNUSED_STDLIB)


def test_predict_loads_nothing_heavy(astronaut: Path) -> None:
    loaded = modules_after(f"import maskdet; maskdet.predict({str(astronaut)!r})")
    assert not loaded & (HEAVY | {"click", "rich", "imagesize"})


def test_classify_loads_nothing_heavy(astronaut: Path, tiny_classifier: Path) -> None:
    code = f"""
from maskdet.cli import cli
cli.main(["classify", {str(astronaut)!r}, "--weights", {str(tiny_classifier)!r}], standalone_mode=False)
"""
    assert not modules_after(code) & (HEAVY | {"onnx"})


def test_compare_loads_nothing_heavy(astronaut: Path, tiny_classifier: Path) -> None:
    code = f"""
from maskdet.cli import cli
cli.main(["compare", {str(astronaut)!r}, "--classifier", {str(tiny_classifier)!r}], standalone_mode=False)
"""
    assert not modules_after(code) & (HEAVY | {"onnx", "faster_coco_eval"})


def test_cutting_crops_needs_no_torch(tmp_path: Path, astronaut: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(astronaut.read_bytes())
    box = "<xmin>170</xmin><ymin>70</ymin><xmax>280</xmax><ymax>190</ymax>"
    (tmp_path / "a.xml").write_text(
        f"<annotation><object><name>mask</name><bndbox>{box}</bndbox></object></annotation>"
    )
    code = f"""
from maskdet.cli import cli
cli.main(["convert", {str(tmp_path)!r}, {str(tmp_path / "out")!r}, "--crops"], standalone_mode=False)
"""
    assert not modules_after(code) & (HEAVY | {"onnx", "onnxruntime"})
    assert (tmp_path / "out" / "with_mask" / "a_0.png").is_file()


def test_import_loads_next_to_nothing() -> None:
    assert not modules_after("import maskdet") & (HEAVY | {"numpy", "cv2", "onnxruntime", "yaml", "click", "rich"})


def test_help_loads_next_to_nothing() -> None:
    code = "from maskdet.cli import cli\ncli.main(['--help'], standalone_mode=False)"
    assert not modules_after(code) & (HEAVY | {"numpy", "cv2", "onnxruntime", "rich"})


def test_the_check_can_fail() -> None:
    pytest.importorskip("pandas")
    assert modules_after("import maskdet, pandas") & HEAVY
