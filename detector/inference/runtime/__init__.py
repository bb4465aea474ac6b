"""Runtimes: each turns a ready batch into the network's raw output, and knows what the model file says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maskdet.detector.inference.runtime.runtimes import OnnxRuntime, OpenVinoRuntime, load_runtime
from maskdet.detector.inference.runtime.spec import ModelSpec, Runtime, class_order, read_spec

if TYPE_CHECKING:
    from maskdet.detector.inference.runtime.torch_runtime import TorchRuntime

__all__ = [
    "ModelSpec",
    "OnnxRuntime",
    "OpenVinoRuntime",
    "Runtime",
    "TorchRuntime",
    "class_order",
    "load_runtime",
    "read_spec",
]


def __getattr__(name: str) -> Any:
    if name == "TorchRuntime":
        from maskdet.detector.inference.runtime.torch_runtime import TorchRuntime

        return TorchRuntime
    raise AttributeError(f"module 'maskdet.detector.inference.runtime' has no attribute {name!r}")
