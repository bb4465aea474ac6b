"""The package as installed: its public surface, and that every file reaches the wheel."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import maskdet
from maskdet.errors import MaskdetError, SourceError, WeightsError

ROOT = Path(__file__).resolve().parent.parent


def test_all_is_the_public_surface() -> None:
    assert sorted(maskdet.__all__) == dir(maskdet)
    for name in maskdet.__all__:
        assert getattr(maskdet, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        maskdet.nonsense  # noqa: B018


def test_a_checkout_imports_where_it_lies_though_another_copy_is_installed() -> None:
    # Without site, nothing says where an installation in place has its rooms: they must be found beside the package.
    libraries = sorted({str(Path(importlib.util.find_spec(name).origin).parents[1]) for name in ("numpy", "cv2")})  # type: ignore[union-attr,arg-type]
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}]; sys.path += {libraries!r}; "
    code += "import maskdet; print(len(maskdet.predict('examples/crew.jpg').faces), maskdet.weights.__file__)"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"4 {ROOT / 'weights' / '__init__.py'}\n"


def test_errors_are_one_family() -> None:
    assert issubclass(SourceError, MaskdetError)
    assert str(WeightsError("a.onnx", "damaged")) == "a.onnx: damaged"


def test_the_version_stands_in_one_place() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dynamic"] == ["version"]
    assert f"\nversion: {maskdet.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {maskdet.__version__} - " in (ROOT / "CHANGELOG.md").read_text()


#: Endings of what a wheel holds.
PACKED = {".py", ".onnx", ".json", ".yaml", ".md", ".html", ".css", ".js", ".svg"}


def test_every_source_file_is_in_the_wheel(tmp_path: Path) -> None:
    pytest.importorskip("build")
    mapping = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-dir"]
    source = tmp_path / "source"  # a copy, so that no build folder of an earlier version gets in
    for folder in mapping.values():
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("maskdet/")}
    wanted = set()
    for package, folder in mapping.items():
        for file in (ROOT / folder).rglob("*"):
            if file.suffix in PACKED or file.name == "py.typed":
                wanted.add(f"{package.replace('.', '/')}/{file.relative_to(ROOT / folder).as_posix()}")
    assert packed == wanted


def test_datasets_refuses_its_bare_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.delitem(sys.modules, "datasets", raising=False)
    with pytest.raises(ImportError, match=r"maskdet\.datasets"):
        importlib.import_module("datasets")
