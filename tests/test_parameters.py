"""No function of the package takes more than a dozen parameters: what belongs together travels as one object."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import maskdet

ROOT = Path(__file__).resolve().parent.parent
PRODUCT: Final = ("maskdet", "detector", "classifier", "datasets", "weights")
MOST: Final = 12

#: Constructors that people call, whose every choice is a keyword with a default.
CONSTRUCTORS: Final = {"detector/inference/model.py: MaskDetector.__init__"}


def crowded(text: str, file: str = "") -> Iterator[tuple[str, int]]:
    """Yield every function of a module that takes more than ``MOST``, with its class's name and its count."""
    tree = ast.parse(text)
    classes = {
        id(inner): f"{node.name}." for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for inner in node.body
    }
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            given = node.args
            count = len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs)
            count += (given.vararg is not None) + (given.kwarg is not None)
            if count > MOST:
                yield f"{file}: {classes.get(id(node), '')}{getattr(node, 'name', 'lambda')}", count


def test_at_most_a_dozen_parameters() -> None:
    found = {}
    for file in sorted(path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py")):
        found |= dict(crowded(file.read_text(encoding="utf-8"), file.relative_to(ROOT).as_posix()))
    assert found.keys() == CONSTRUCTORS, found


def test_public_constructors_take_keywords() -> None:
    choices = list(inspect.signature(maskdet.MaskDetector).parameters.values())[1:]
    assert len(choices) >= MOST
    assert all(one.kind is one.KEYWORD_ONLY and one.default is not one.empty for one in choices)


def test_a_crowded_function_is_found() -> None:
    names = ", ".join(f"a{number}" for number in range(MOST))
    assert list(crowded(f"def f({names}): ...\nlambda {names}: 0", "m.py")) == []
    text = f"class A:\n    def f(self, {names}): ...\nasync def g({names}, **rest): ...\nh = lambda *b, {names}: 0"
    assert dict(crowded(text, "m.py")) == {"m.py: A.f": 13, "m.py: g": 13, "m.py: lambda": 13}
