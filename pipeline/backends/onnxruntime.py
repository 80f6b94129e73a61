"""Models in ONNX Runtime, on the memory and the stream of a device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.backends.backend import Tensors, one_line
from pipeline.device import Device
from pipeline.errors import ModelError
from pipeline.onnx_dtypes import DTYPES

# A model is one file. Weights that a file would pull in from elsewhere on the disk are looked for below a path that
# cannot exist.
_NO_EXTERNAL_DATA = ("session.model_external_initializers_file_folder_path", "/dev/null/no-external-data")


class OnnxRuntime:
    """A model in ONNX Runtime.

    Args:
        content: an ONNX file.
        path: where it was read, for messages.
        device: where it runs.
        providers: execution providers, names or names with options, the first of which must work; None: those of the
            device. Who opens the model must then be who runs it.

    Raises:
        ModelError: it cannot be loaded, or the first provider cannot.
    """

    def __init__(self, content: bytes, path: Path, device: Device, providers: Sequence[Any] | None = None) -> None:
        self._device = device
        self._session = _opened(content, path, device.model_threads, list(providers or device.providers))
        self.inputs = _tensors(self._session.get_inputs())
        self.spare = _tensors(self._session.get_overridable_initializers())
        self.outputs = _tensors(self._session.get_outputs())

    def run(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
        """See `Runner.run`."""
        binding, device = self._session.io_binding(), self._device
        for name, array in inputs.items():
            binding.bind_input(name, device.memory, 0, array.dtype, array.shape, device.address(array))
        for name in outputs:
            # Bound by device only: the runtime allocates an output for this run, which lives as long as its array.
            binding.bind_output(name, device.memory)
        return dict(zip(outputs, device.run(self._session, binding), strict=True))

    def close(self) -> None:
        """See `Runner.close`."""
        self._session = None


def _opened(content: bytes, path: Path, threads: int, providers: list[Any]) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised, and said once
    # A thread that spins while it waits takes the core that the neighbouring stage needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.add_session_config_entry(*_NO_EXTERNAL_DATA)
    try:
        # From memory, so that what runs is what was checked. Without the runtime's own way back to other providers: it
        # prints to standard output, and goes on without the one that was asked for.
        session = onnxruntime.InferenceSession(content, options, providers=providers, enable_fallback=0)
    except Exception as error:  # the runtime's exceptions have no common base of their own
        cure = "give a single file with its weights inside, made for ONNX Runtime " + onnxruntime.__version__
        raise ModelError(f"model {path}: expected a model that loads, got: {one_line(error)}; {cure}") from error
    # The runtime goes on without a provider that it cannot load, and says so in a log that nobody reads.
    wanted, got = _name(providers[0]), session.get_providers()
    if wanted not in got:
        raise ModelError(
            f"model {path}: expected it to run on {wanted}, got {', '.join(got)}: that provider cannot be loaded; "
            "python run_graph.py doctor says what is missing, and --device cpu runs without it"
        )
    return session


def _name(provider: Any) -> str:
    return provider if isinstance(provider, str) else str(provider[0])


def _tensors(nodes: Iterable[Any]) -> Tensors:
    return {node.name: (tuple(node.shape), DTYPES.get(node.type, node.type)) for node in nodes}
