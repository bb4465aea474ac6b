"""Each layer imports only what lies below it, no two packages import one another, and neither model knows the other."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: From the ground up: the first part of a name below ``maskdet``; each may import its own layer and those before it.
LAYERS: Final = (
    {
        "arguments", "classes", "errors", "extras", "files", "imaging", "printable", "results",
        "schema", "statistics", "terminal", "version",
    },
    {"weights"},
    {"sessions"},
    {"datasets"},
    {"classifier", "detector"},
    {"alerts", "api", "benchmark", "chain", "prediction", "sources", "tracking", "writers"},
    {"batch", "serve"},
    {"__main__", "cli"},
)  # fmt: skip

#: They stand side by side and do not know each other.
APART: Final = {"classifier", "detector"}

#: Imported by name when it is needed: ``"maskdet.cli.detect:detect"``, or a module alone.
NAMED: Final = re.compile(r"(maskdet(?:\.\w+)+)(?::\w+)?")

Sources = Mapping[str, str]


@pytest.fixture(scope="module")
def sources() -> Sources:
    """Return the text of every module by its installed name; a package by its own."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = {}
    for package, folder in settings["tool"]["setuptools"]["package-dir"].items():
        for file in (ROOT / folder).rglob("*.py"):
            parts = [package, *file.relative_to(ROOT / folder).with_suffix("").parts]
            found[".".join(part for part in parts if part != "__init__")] = file.read_text(encoding="utf-8")
    return found


def imported(text: str, modules: Sources) -> Iterator[str]:
    """Yield our modules that a text imports: at its top, in functions, for type checking, by name in a string."""
    for node in ast.walk(ast.parse(text)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            named = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in modules else str(node.module) for name in named]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and NAMED.fullmatch(node.value):
            names = [node.value.partition(":")[0]]
        yield from (name for name in names if name in modules)


def package(module: str, modules: Sources) -> str:
    """Return the folder that a module lies in; what lies in ``maskdet`` itself stands for itself."""
    is_folder = any(name.startswith(f"{module}.") for name in modules)
    parent = module.rpartition(".")[0]
    return module if is_folder or parent in {"", "maskdet"} else parent


def wrong_imports(modules: Sources) -> set[tuple[str, str]]:
    """Return who imports what stands above it, or what it must not know."""
    heights = {name: height for height, names in enumerate(LAYERS) for name in names}
    wrong = set()
    for module, text in modules.items():
        for target in imported(text, modules):
            (_, *rest), (_, *its) = module.split("."), target.split(".")
            # ``maskdet`` itself shows what lies below the command line; nothing imports it.
            mine = heights["api"] if not rest else heights.get(rest[0], -1)
            theirs = len(LAYERS) if not its else heights.get(its[0], -1)
            apart = bool(rest and its) and {rest[0], its[0]} == APART
            if theirs > mine or apart:
                wrong.add((module, target))
    return wrong


def circle(modules: Sources) -> list[str]:
    """Return packages that import one another in a circle, none where there is no circle."""
    graph: dict[str, set[str]] = defaultdict(set)
    for module, text in modules.items():
        mine = package(module, modules)
        graph[mine] |= {package(target, modules) for target in imported(text, modules)} - {mine}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_module_stands_in_a_layer(sources: Sources) -> None:
    assert {module.split(".")[1] for module in sources if module != "maskdet"} == set().union(*LAYERS)


def test_every_folder_is_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {
        ".".join([name, *file.parent.relative_to(ROOT / top).parts])
        for name, top in settings["package-dir"].items()
        for file in (ROOT / top).rglob("*.py")
    }
    assert sorted(settings["packages"]) == sorted(folders)


def test_layers_import_downwards(sources: Sources) -> None:
    assert wrong_imports(sources) == set()


def test_no_two_packages_import_one_another(sources: Sources) -> None:
    assert circle(sources) == []


MADE_UP: Final = {
    "maskdet": "",
    "maskdet.api": "",
    "maskdet.cli": "",
    "maskdet.imaging": "",
    "maskdet.imaging.decode": "",
    "maskdet.detector": "",
    "maskdet.detector.training": "",
    "maskdet.detector.training.train": "",
    "maskdet.detector.export": "",
    "maskdet.detector.export.to_onnx": "",
    "maskdet.classifier": "",
}


@pytest.mark.parametrize(
    ("module", "text", "target"),
    [
        ("maskdet.imaging.decode", "import maskdet.detector.export.to_onnx", "maskdet.detector.export.to_onnx"),
        ("maskdet.imaging.decode", "def f():\n    from maskdet.detector import export", "maskdet.detector.export"),
        ("maskdet.imaging.decode", "if TYPE_CHECKING:\n    from maskdet.detector import Thing", "maskdet.detector"),
        ("maskdet.api", "COMMANDS = {'detect': 'maskdet.cli:detect'}", "maskdet.cli"),
        ("maskdet", "from maskdet import cli", "maskdet.cli"),
        ("maskdet.cli", "from maskdet import predict", "maskdet"),
        ("maskdet.detector.export.to_onnx", "from maskdet import classifier", "maskdet.classifier"),
    ],
)  # fmt: skip
def test_a_wrong_import_is_found(module: str, text: str, target: str) -> None:
    assert wrong_imports(MADE_UP) == set()
    assert wrong_imports({**MADE_UP, module: text}) == {(module, target)}


def test_a_circle_is_found() -> None:
    one_way = {**MADE_UP, "maskdet.detector.training.train": "from maskdet.detector.export import to_onnx"}
    assert circle(one_way) == []
    back = {**one_way, "maskdet.detector.export": "def f():\n    import maskdet.detector.training.train"}
    assert set(circle(back)) == {"maskdet.detector.training", "maskdet.detector.export"}
