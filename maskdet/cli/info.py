"""``maskdet info``: what is installed, what runs, what ships."""

from __future__ import annotations

import json
from importlib import metadata
from typing import Any

import click

from maskdet.cli.report_output import write_text
from maskdet.terminal.console import console

#: Packages whose version explains most bug reports; None in the answer where one is not installed.
PACKAGES = ("numpy", "opencv-python", "onnxruntime", "openvino", "torch", "torchvision", "ultralytics")

#: What ``--runtime`` takes, and the package that brings it.
RUNTIME_PACKAGES = {"onnx": "onnxruntime", "openvino": "openvino", "torch": "ultralytics"}

#: A model's figures, by their key in ``models.json``, and how the table calls them. Each task has its own.
FIGURES = {"map50": "mAP50", "map50_95": "mAP50-95", "accuracy": "accuracy", "macro_f1": "macro-F1"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
def info(as_json: bool) -> int:
    """Show versions, runtimes, and the shipped models with their checksums and figures."""
    facts = gather()
    if as_json:
        write_text(json.dumps(facts) + "\n", "-")
        return 0

    from rich.table import Table

    from maskdet.weights import TASK_NOUNS

    screen = console()
    table = Table("package", "version", title="maskdet " + facts["maskdet"], title_justify="left")
    for name, version in facts["packages"].items():
        table.add_row(name, version or "not installed")
    table.add_row("Python", facts["python"])
    table.add_row("processor", f"{facts['cores']} cores{', bfloat16' if facts['bf16'] else ''}")
    table.add_row("ONNX Runtime on", ", ".join(facts["providers"]))
    table.add_row("OpenVINO on", ", ".join(facts["openvino_devices"]) or "–")
    table.add_row("runtimes", ", ".join(facts["runtimes"]))
    screen.print(table)
    titles = ("model", "task", "file", "input", "sha256", "figures", "intact")
    models = Table(*titles, title="models", title_justify="left")
    for name, model in facts["models"].items():
        shown = ", ".join(f"{label} {model[key]:.3f}" for key, label in FIGURES.items() if model.get(key) is not None)
        takes = f"{model['imgsz']} px"
        if model["task"] == "classify":
            takes += f", {'square' if model['square'] else 'box'}, margin {model['margin']:g}"
        if "of" in model:
            shown += f" ({model['of']})"
        row = (name, model["task"], model["file"], takes, model["sha256"][:12], shown or "–", str(model["intact"]))
        models.add_row(*row)
    screen.print(models)
    for task in facts["no_model"]:
        screen.print(f"no {TASK_NOUNS[task]} is shipped")
    return 0


def gather() -> dict[str, Any]:
    """Return everything that ``info`` shows, as plain JSON types."""
    import platform

    import onnxruntime

    from maskdet.errors import WeightsError
    from maskdet.sessions.processor import has_bf16, usable_cores
    from maskdet.version import __version__
    from maskdet.weights import TASK_NOUNS, shipped_models

    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    models = {}
    for name, model in shipped_models().items():
        try:
            intact = bool(model.verify())
        except WeightsError:
            intact = False
        facts: dict[str, Any] = {
            "task": model.task,
            "file": model.path.name,
            "sha256": model.sha256,
            "imgsz": model.card["imgsz"],
            "intact": intact,
        }
        figures = model.card.get("figures", {})
        facts |= {key: model.card[key] for key in ("margin", "square") if key in model.card}
        facts |= {key: figures[key] for key in (*FIGURES, "of") if key in figures}
        models[name] = facts
    return {
        "maskdet": __version__,
        "python": platform.python_version(),
        "packages": versions,
        "cores": usable_cores(),
        "bf16": has_bf16(),
        "providers": onnxruntime.get_available_providers(),
        "openvino_devices": openvino_devices() if versions["openvino"] else [],
        "runtimes": [name for name, package in RUNTIME_PACKAGES.items() if versions[package]],
        "models": models,
        "no_model": [task for task in TASK_NOUNS if task not in {model["task"] for model in models.values()}],
    }


def openvino_devices() -> list[str]:
    """Return what OpenVINO can run a model on here; nothing where it is installed but broken."""
    from maskdet.errors import MissingExtraError
    from maskdet.sessions.openvino_session import shared_core

    try:
        return [str(device) for device in shared_core().available_devices]
    except (MissingExtraError, ImportError, OSError, RuntimeError):
        return []
