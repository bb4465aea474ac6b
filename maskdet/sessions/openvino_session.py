"""Opening an OpenVINO folder, or an ONNX file, with OpenVINO; needs the ``openvino`` extra."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskdet.errors import DeviceError, WeightsError
from maskdet.extras import require
from maskdet.sessions.devices import Precision, openvino_device
from maskdet.sessions.model_file import check_external_data
from maskdet.sessions.processor import runs_at_once, usable_cores

#: A network's description; its numbers stand in the .bin.
_MAX_XML = 64 << 20


class OpenVinoSession:
    """A network run by OpenVINO; may be called from several threads at once. See ``OnnxSession`` for its attributes."""

    def __init__(self, path: Path, *, device: str = "cpu", threads: int = 0, precision: Precision = "fp32") -> None:
        """Load an ``.onnx`` or ``.xml`` file, or a folder as ``yolo export format=openvino`` writes it.

        ``threads`` 0 stands for one a core; ``bf16`` rounds weights and activations to bfloat16: about three digits.

        Raises:
            MissingExtraError: OpenVINO is not installed.
            WeightsError: the file is missing or damaged.
            DeviceError: the device is not there, or cannot compute in this precision.
        """
        file = _model_file(path)
        openvino = require("openvino", what="the runtime openvino", extra="openvino")
        core = shared_core()
        target = openvino_device(device, core.available_devices)
        model = _read(file, path)
        self.metadata: Mapping[str, str] = _metadata(model) | _metadata_file(file)
        if not model.inputs or not model.outputs:
            raise WeightsError(path, "not a network for pictures: it has no input or no output")
        self._path = path
        self.takes = _shape(model.input(0).partial_shape)
        self.gives = _shape(model.output(0).partial_shape)
        # The first time that OpenVINO looks up a type's NumPy name, as infer() does, it fills a table under a lock and
        # asks for the interpreter's lock meanwhile: two threads that do so at once wait for each other for ever.
        model.input(0).element_type.to_dtype()
        floats = (openvino.Type.f32, openvino.Type.f16)
        self._half = model.input(0).element_type == openvino.Type.f16
        self.plain_input = len(model.inputs) == 1 and model.input(0).element_type in floats
        self.plain_output = model.output(0).element_type in floats
        # Left alone it computes in bfloat16 where the processor can: answers that are not those of the other runtimes.
        hint = "bf16" if precision == "bf16" else "f32"
        if hint == "bf16" and "BF16" not in core.get_property(target, "OPTIMIZATION_CAPABILITIES"):
            raise DeviceError(f"precision bf16: this {target} cannot compute in bfloat16; use fp32")
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": hint}
        if target == "CPU":
            streams = runs_at_once(threads)
            settings["NUM_STREAMS"] = streams
            settings["INFERENCE_NUM_THREADS"] = streams * (threads or usable_cores())
            # Threads tied to cores wait there for whatever else runs on them.
            settings["ENABLE_CPU_PINNING"] = False
        try:
            self._compiled = core.compile_model(model, target, settings)
        except RuntimeError as error:
            raise DeviceError(f"{path}: OpenVINO cannot run it on {target} ({_first_line(error)})") from error
        # A request serves one call at a time, and making one allocates the network's memory anew.
        self._idle: list[Any] = []

    def __call__(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the first output for a batch (``WeightsError``: the network cannot be run on it)."""
        try:
            request = self._idle.pop()  # one step, so no two threads get the same
        except IndexError:
            request = self._compiled.create_infer_request()
        given = batch.astype(np.float16) if self._half else batch
        try:
            output: npt.NDArray[np.float32] = request.infer([given], share_inputs=True, share_outputs=False)[0]
        except RuntimeError as error:
            raise WeightsError(self._path, f"cannot be run ({_first_line(error)})") from error
        self._idle.append(request)
        return output.astype(np.float32) if output.dtype == np.float16 else output


@cache
def shared_core() -> Any:
    """Return the process's one OpenVINO core, kept to its end.

    Each core's processor plugin puts up a stack for signals and takes the former one back when it goes. Cores that go
    in another order than they came leave a stack that is no more, and the next signal, such as Ctrl-C, is a crash.
    """
    return require("openvino", what="the runtime openvino", extra="openvino").Core()


def _model_file(path: Path) -> Path:
    """Return the ``.xml`` or ``.onnx`` file that ``path`` stands for."""
    if path.is_dir():
        found = sorted(path.glob("*.xml"))
        if len(found) != 1:
            reason = f"not an OpenVINO folder: {len(found) or 'no'} .xml files in it, one is needed"
            raise WeightsError(path, reason)
        return found[0]
    if not path.is_file():
        raise WeightsError(path, "no such file")
    return path


def _read(file: Path, shown: Path) -> Any:
    from openvino.frontend import FrontEndManager

    # Core.read_model would offer a damaged file to every reader, and some print their own complaints.
    is_onnx = file.suffix.lower() == ".onnx"
    if is_onnx:
        check_external_data(file)
    else:
        _check_ir(file, shown)
    frontend = FrontEndManager().load_by_framework("onnx" if is_onnx else "ir")
    try:
        return frontend.convert(frontend.load(str(file)))
    except Exception as error:  # the readers' exceptions share no base class of their own
        kind = "an ONNX" if is_onnx else "an OpenVINO"
        bare = not is_onnx and not file.with_suffix(".bin").is_file()
        reason = f"{file.with_suffix('.bin').name} is missing" if bare else _first_line(error)
        raise WeightsError(shown, f"not {kind} model ({reason})") from error


def _check_ir(file: Path, shown: Path) -> None:
    """Refuse a folder whose parts lie elsewhere, or whose description is larger than any network's.

    Raises:
        WeightsError: one of these.
    """
    folder = file.parent.resolve()
    for part in (file, file.with_suffix(".bin"), file.with_name("metadata.yaml")):
        if part.exists() and part.resolve().parent != folder:
            raise WeightsError(shown, f"{part.name} is a link to a file outside the folder: put the file itself there")
    if file.stat().st_size > _MAX_XML:
        raise WeightsError(shown, f"not an OpenVINO model ({file.name} has more than {_MAX_XML >> 20} MB)")


def _first_line(error: Exception) -> str:
    """Return the first line that says something: OpenVINO starts with its own source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Exception from", "Check ", "FrontEnd API"))]
    return (telling or lines or [type(error).__name__])[0][:120]


def _metadata(model: Any) -> dict[str, str]:
    """Return ONNX's metadata, which OpenVINO keeps under ``framework``, also where the model was converted."""
    if not model.has_rt_info("framework"):
        return {}
    return {key: str(value.value) for key, value in dict(model.get_rt_info()["framework"]).items()}


def _metadata_file(file: Path) -> dict[str, str]:
    """Return what stands in ``metadata.yaml`` beside an ``.xml``, as the text it would be in an ONNX file."""
    beside = file.with_name("metadata.yaml")
    if file.suffix.lower() == ".onnx" or not beside.is_file():
        return {}
    from maskdet.files.safe_yaml import YamlError, read_yaml

    try:
        content = read_yaml(beside)
    except (OSError, YamlError) as error:
        raise WeightsError(beside, "cannot be read as YAML") from error
    return {str(key): str(value) for key, value in content.items()} if isinstance(content, dict) else {}


def _shape(partial: Any) -> list[int | str]:
    if partial.rank.is_dynamic:
        return ["?"]
    return [side.get_length() if side.is_static else "?" for side in partial]
