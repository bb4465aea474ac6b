"""Runtimes: each turns a ready batch into the network's raw output, and knows what the model file says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maskdet.detector.runtime.loading import load_runtime
from maskdet.detector.runtime.onnx_runtime import OnnxRuntime
from maskdet.detector.runtime.spec import ModelSpec, Runtime, class_order, read_spec

if TYPE_CHECKING:
    from maskdet.detector.runtime.openvino_runtime import OpenVinoRuntime
    from maskdet.detector.runtime.torch_runtime import TorchRuntime

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
    if name == "OpenVinoRuntime":
        from maskdet.detector.runtime.openvino_runtime import OpenVinoRuntime

        return OpenVinoRuntime
    if name == "TorchRuntime":
        from maskdet.detector.runtime.torch_runtime import TorchRuntime

        return TorchRuntime
    raise AttributeError(f"module 'maskdet.detector.runtime' has no attribute {name!r}")
