"""Run a model: names in, arrays out. The one seam between nodes and ONNX Runtime."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.cards import ModelCard, TensorSpec, load_card, no_file
from pipeline.device import Device
from pipeline.errors import ModelError

MAX_BYTES = 2**31 - 1
"""Protobuf, hence ONNX, holds no more in one file."""

# A model is one file. Weights that a file would pull in from elsewhere on the disk are looked for below a path that
# cannot exist.
_NO_EXTERNAL_DATA = ("session.model_external_initializers_file_folder_path", "/dev/null/no-external-data")

_DTYPES = {
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}

Tensors = dict[str, tuple[tuple[int | str | None, ...], str]]


class Session:
    """An opened model. May be shared by threads.

    Attributes:
        card: what the model is.
        inputs, outputs: by name, shape (names for axes of any extent) and dtype, as the file declares them.
    """

    def __init__(self, card: ModelCard, path: Path, device: Device) -> None:
        self.card = card
        self._path = path
        self._device = device
        self._engine = _engine(card, path, device)
        self.inputs = _declared(self._engine.get_inputs())
        self.outputs = _declared(self._engine.get_outputs())
        self._check_names()
        self._try_out()

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Run the model once.

        Args:
            inputs: an array for each input of the contract, on the session's device, with dtype and axes as declared.

        Returns:
            An array for each output of the contract. They are the caller's: no later run touches them.

        Raises:
            ModelError: an input does not fit, or the model fails on it.
        """
        binding = self._engine.io_binding()
        held = [self._bind(binding, name, inputs) for name in self.inputs]
        if len(inputs) != len(held):
            raise ModelError(f"model {self._path}: expected inputs {list(self.inputs)}, got {list(inputs)}")
        for name in self.card.contract.outputs:
            # Bound by device only: the runtime allocates an output for this run, which lives as long as its array.
            binding.bind_output(name, self._device.kind)
        try:
            self._engine.run_with_iobinding(binding)
        except Exception as error:  # the runtime's exceptions have no common base of their own
            shapes = {name: tuple(array.shape) for name, array in inputs.items()}
            raise ModelError(f"model {self._path}: failed on inputs of shape {shapes}: {_line(error)}") from error
        names = list(self.card.contract.outputs)
        return {name: value.numpy() for name, value in zip(names, binding.get_outputs(), strict=True)}

    def close(self) -> None:
        """Let go of the model; `run` must not be called afterwards."""
        self._engine = None

    def _bind(self, binding: Any, name: str, inputs: dict[str, Any]) -> Any:
        shape, dtype = self.inputs[name]
        array = inputs.get(name)
        if array is None:
            raise ModelError(f"model {self._path}: expected inputs {list(self.inputs)}, got {list(inputs)}")
        if str(array.dtype) != dtype or not _fits(array.shape, shape):
            wanted, got = _words(shape, dtype), _words(array.shape, array.dtype)
            raise ModelError(f"model {self._path}: input {name!r}: expected {wanted}, got {got}")
        array = self._device.xp.ascontiguousarray(array)
        binding.bind_input(name, self._device.kind, 0, np.dtype(dtype), array.shape, array.ctypes.data)
        return array

    def _check_names(self) -> None:
        """Hold what the file declares against the contract."""
        contract = self.card.contract
        for kind, wanted, got in (("input", contract.inputs, self.inputs), ("output", contract.outputs, self.outputs)):
            for name, spec in wanted.items():
                if name not in got or not _agrees(spec, *got[name], self.card.input_size_wh):
                    raise self._breach(f"{kind} {name!r} of {_words(spec.shape, spec.dtype)}", f"{kind}s", got)
        if extra := [name for name in self.inputs if name not in contract.inputs]:
            raise self._breach(f"no inputs but {list(contract.inputs)}", "also", {k: self.inputs[k] for k in extra})

    def _try_out(self) -> None:
        """Run once on dull input: ranks, dtypes and ranges that a file declares wrongly show before the first frame."""
        results = self.run({name: self._dull(spec, name) for name, spec in self.card.contract.inputs.items()})
        for name, spec in self.card.contract.outputs.items():
            array = self._device.to_host(results[name])
            got = {name: (array.shape, str(array.dtype))}
            if array.ndim != len(spec.shape) or str(array.dtype) != spec.dtype:
                raise self._breach(f"output {name!r} of {_words(spec.shape, spec.dtype)}", "in a trial run", got)
            low, high = spec.range or (-np.inf, np.inf)
            if array.size and not (array.min() >= low and array.max() <= high):
                values = f"{array.min():.4g} to {array.max():.4g}"
                raise ModelError(
                    f"model {self._path}: expected output {name!r} within {low:g} to {high:g}, got {values} in a trial "
                    f"run; the card {self.card.name!r} wants another file or another range"
                )

    def _dull(self, spec: TensorSpec, name: str) -> Any:
        width, height = self.card.input_size_wh or (1, 1)
        named = {"W": width, "H": height}
        declared = self.inputs[name][0]
        shape = [
            fixed if isinstance(fixed, int) else wanted if isinstance(wanted, int) else named.get(wanted, 1)
            for wanted, fixed in zip(spec.shape, declared, strict=True)
        ]
        value = sum(spec.range) / 2 if spec.range else 0
        return self._device.xp.full(shape, value, spec.dtype)

    def _breach(self, expected: str, where: str, got: Tensors) -> ModelError:
        tensors = ", ".join(f"{name!r} of {_words(*tensor)}" for name, tensor in got.items()) or "none"
        return ModelError(
            f"model {self._path}: expected {expected}, got {where} {tensors}; the card {self.card.name!r} wants a file "
            f"of the family {self.card.family!r}: give such a file, or the card that fits this one"
        )


def open_session(card: str, device: Device, root: Path) -> Session:
    """Open the model of a card.

    Args:
        card: a name in `configs/models`, a path to a card, or a path to an .onnx file that a card names.
        device: where it runs and where its inputs and outputs live.
        root: the checkout.

    Raises:
        ConfigError: there is no such card, or it is wrong.
        ModelError: the file is missing, changed, or does not keep the contract; names the cure.
    """
    found, path = load_card(card, root)
    return Session(found, path, device)


def _engine(card: ModelCard, path: Path, device: Device) -> Any:
    content = _read_checked(card, path)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = device.model_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is raised, and said once
    # A thread that spins while it waits takes the core that the neighbouring stage needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.add_session_config_entry(*_NO_EXTERNAL_DATA)
    try:
        # From memory, so that what runs is what was checked.
        return onnxruntime.InferenceSession(content, options, providers=list(device.providers))
    except Exception as error:  # the runtime's exceptions have no common base of their own
        cure = "give a single file with its weights inside, made for ONNX Runtime " + onnxruntime.__version__
        raise ModelError(f"model {path}: expected a model that loads, got: {_line(error)}; {cure}") from error


def _read_checked(card: ModelCard, path: Path) -> bytes:
    try:
        status = path.stat()
    except OSError as error:
        raise ModelError(no_file(card, path)) from error
    if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
        raise ModelError(f"model {path}: expected a file of at most {MAX_BYTES} bytes, got {status.st_size} or no file")
    content = path.read_bytes()
    got = hashlib.sha256(content).hexdigest()
    if card.sha256 not in (None, got):
        raise ModelError(
            f"model {path}: expected the sha256 {card.sha256} of the card {card.name!r}, got {got}; the file is "
            f"damaged or another one: python run_graph.py models verify {card.name} says what to do"
        )
    return content


def _declared(nodes: Any) -> Tensors:
    return {node.name: (tuple(node.shape), _DTYPES.get(node.type, node.type)) for node in nodes}


def _agrees(spec: TensorSpec, shape: tuple[Any, ...], dtype: str, size_wh: tuple[int, int] | None) -> bool:
    named = {"W": size_wh[0], "H": size_wh[1]} if size_wh else {}
    wanted = tuple(named.get(extent, extent) if isinstance(extent, str) else extent for extent in spec.shape)
    return dtype == spec.dtype and _fits(wanted, shape)


def _fits(shape: tuple[Any, ...], declared: tuple[Any, ...]) -> bool:
    """Tell whether a shape agrees with a declared one wherever both give numbers; `()` declares nothing."""
    if not declared:
        return True
    return len(shape) == len(declared) and all(
        not (isinstance(a, int) and isinstance(b, int)) or a == b for a, b in zip(shape, declared, strict=True)
    )


def _words(shape: tuple[Any, ...], dtype: Any) -> str:
    return f"{dtype} [{', '.join('?' if extent is None else str(extent) for extent in shape)}]"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
