"""Tests lie where the modules lie: ``detector/export/quantise.py`` has ``tests/detector/export/test_quantise.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent

#: Files that mirror no module, and why.
EXCEPTIONS: Final = {
    "datasets/test_commands.py": "maskdet convert and maskdet data, on the data sets that only these fixtures make",
    "datasets/test_oracles.py": "reading and writing beside supervision and ultralytics, over several modules",
    "maskdet/cli/test_docs.py": "the pages of the whole command line",
    "maskdet/cli/test_habits.py": "what every command does alike",
    "maskdet/cli/test_help.py": "the help of every command",
    "maskdet/cli/test_nothing_is_destroyed.py": "what no command writes over",
    "maskdet/cli/test_own_classes.py": "models and data of other classes, through every command",
    "maskdet/serve/test_page.py": "the page, in a browser",
    "maskdet/test_pickling.py": "models, results and errors sent to another process",
    "test_benchmarks.py": "scripts of benchmarks/",
    "test_container.py": "the Dockerfile and the compose file",
    "test_doctests.py": "examples of every module",
    "test_imports.py": "what an import of the package loads",
    "test_layers.py": "imports of every module",
    "test_mirror.py": "tests of every module",
    "test_package.py": "the package as installed",
    "test_parameters.py": "functions of every module",
    "test_parity.py": "the shipped detectors beside ultralytics' own program",
    "test_readme.py": "README and docs",
    "test_shipped_classifier.py": "the shipped classifier",
    "test_shipped_figures.py": "the figures that the shipped models are held to",
    "test_trust.py": "the limits that docs/trust.md names",
    "tools/hostile/test_corpus.py": "the corpus that these tools make together",
    "tools/hostile/test_parsers.py": "our parsers, fed by these tools",
}


def mirrors(test: Path, root: Path = ROOT) -> bool:
    """Whether a test's file (below ``tests``) is named after a module of the folder that it mirrors.

    ``test_detect.py`` and ``test_detect_sources.py`` are both of ``detect.py``; a package's own are named after it.
    """
    folder = root / test.parent
    names = {file.stem for file in folder.glob("*.py")} - {"__init__"} | {folder.name}
    subject = test.stem.removeprefix("test_")
    return bool(test.parent.name) and any(subject == name or subject.startswith(f"{name}_") for name in names)


def test_tests_lie_where_the_modules_lie() -> None:
    files = {file.relative_to(ROOT / "tests") for file in (ROOT / "tests").rglob("test_*.py")}
    assert {file.as_posix() for file in files if not mirrors(file)} == set(EXCEPTIONS)


def test_a_stray_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "detect.py").touch()
    for name, found in (("detect", True), ("detect_sources", True), ("cli", True), ("detected", False), ("val", False)):
        assert mirrors(Path("cli") / f"test_{name}.py", tmp_path) is found
    assert not mirrors(Path("test_detect.py"), tmp_path)
    assert not mirrors(Path("gone") / "test_detect.py", tmp_path)
