"""Run a model: names in, arrays out. The one seam between nodes and ONNX Runtime."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.card_contract import TensorSpec, fits
from pipeline.cards import ModelCard, load_card, no_file
from pipeline.contract_check import (
    Tensors,
    check_declared,
    check_outputs,
    check_size,
    in_words,
    names_in_file,
    trial_inputs,
)
from pipeline.device import Device
from pipeline.errors import ModelError
from pipeline.model_part import leading_to, output_names
from pipeline.onnx_dtypes import DTYPES

MAX_BYTES = 2**31 - 1
"""Protobuf, hence ONNX, holds no more in one file."""

# A model is one file. Weights that a file would pull in from elsewhere on the disk are looked for below a path that
# cannot exist.
_NO_EXTERNAL_DATA = ("session.model_external_initializers_file_folder_path", "/dev/null/no-external-data")


class Session:
    """An opened model. May be shared by threads.

    Attributes:
        card: what the model is.
        inputs, outputs: by name, shape (names for axes of any extent) and dtype, as the file declares them. Names are
            those of the card, where it has its own.
        optional: those of the inputs that need not be fed, because the file has a value for them. The card must name
            them: weights of old files look the same.
    """

    def __init__(
        self,
        card: ModelCard,
        path: Path,
        device: Device,
        outputs: Collection[str] = (),
        size_wh: tuple[int, int] | None = None,
    ) -> None:
        self._path = path
        self._device = device
        content, card = _part(_read_checked(card, path), card, outputs)
        self._engine = _engine(content, path, device)
        spare = [node for node in self._engine.get_overridable_initializers() if node.name in card.contract.inputs]
        self.inputs, self._fed = _declared([*self._engine.get_inputs(), *spare], card.contract.inputs)
        self.outputs, self._told = _declared(self._engine.get_outputs(), card.contract.outputs)
        self.optional = frozenset(node.name for node in spare)
        if size_wh:
            check_size(card, path, self.inputs, size_wh)
            card = card.model_copy(update={"input_size_wh": size_wh})
        self.card = card
        check_declared(card, path, self.inputs, self.outputs, self.optional)
        self._unproved = frozenset(card.contract.outputs)
        self._try_out()

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Run the model once.

        Args:
            inputs: an array for each input of the contract, on the session's device, with dtype and axes as declared;
                those that are `optional` may be left out.

        Returns:
            An array for each output of the contract. They are the caller's: no later run touches them.

        Raises:
            ModelError: an input does not fit, the model fails on it, or what it returns the first time is not what its
                card says.
        """
        outputs = self._run(inputs)
        if self._unproved:
            self._prove(outputs)
        return outputs

    def close(self) -> None:
        """Let go of the model; `run` must not be called afterwards."""
        self._engine = None

    def _run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        binding = self._engine.io_binding()
        needed = self.inputs.keys() - self.optional
        if not needed <= inputs.keys() <= self.inputs.keys():
            may = f" and perhaps {sorted(self.optional)}" if self.optional else ""
            must = [name for name in self.inputs if name in needed]
            raise ModelError(f"model {self._path}: expected inputs {must}{may}, got {list(inputs)}")
        inputs = {name: self._bind(binding, name, array) for name, array in inputs.items()}
        for name in self.card.contract.outputs:
            # Bound by device only: the runtime allocates an output for this run, which lives as long as its array.
            binding.bind_output(self._told[name], self._device.memory)
        try:
            outputs = self._device.run(self._engine, binding)
        except Exception as error:  # the runtime's exceptions have no common base of their own
            shapes = {name: tuple(array.shape) for name, array in inputs.items()}
            raise ModelError(f"model {self._path}: failed on inputs of shape {shapes}: {_line(error)}") from error
        return dict(zip(self.card.contract.outputs, outputs, strict=True))

    def _bind(self, binding: Any, name: str, array: Any) -> Any:
        shape, dtype = self.inputs[name]
        if str(array.dtype) != dtype or not fits(array.shape, shape):
            wanted, got = in_words(shape, dtype), in_words(array.shape, array.dtype)
            raise ModelError(f"model {self._path}: input {name!r}: expected {wanted}, got {got}")
        device = self._device
        array = device.xp.ascontiguousarray(array)
        binding.bind_input(self._fed[name], device.memory, 0, np.dtype(dtype), array.shape, device.address(array))
        return array

    def _try_out(self) -> None:
        """Run once on made-up input: what a file declares wrongly shows before the first frame.

        A model that fails on what is no picture says nothing of itself: its first frame is its trial.
        """
        try:
            outputs = self._run(trial_inputs(self.card, self.inputs, self._device.xp))
        except ModelError:
            return
        host = {name: self._device.to_host(array) for name, array in outputs.items()}
        check_outputs(self.card, self._path, host, "in a trial run")

    def _prove(self, outputs: dict[str, Any]) -> None:
        """Hold the outputs of the first frames against the card, each until it has had values."""
        host = {name: self._device.to_host(outputs[name]) for name in sorted(self._unproved)}
        check_outputs(self.card, self._path, host, "on the first frame")
        self._unproved = frozenset(name for name, array in host.items() if not array.size)


def open_session(
    card: str,
    device: Device,
    root: Path,
    outputs: Collection[str] = (),
    size_wh: tuple[int, int] | None = None,
) -> Session:
    """Open the model of a card.

    Args:
        card: a name in `configs/models`, a path to a card, or a path to an .onnx file that a card names.
        device: where it runs and where its inputs and outputs live.
        root: the checkout.
        outputs: those of the contract that are wanted; what only others need is never computed. None: all.
        size_wh: width and height of the pictures it will be given, pixels; None: as the card says.

    Raises:
        ConfigError: there is no such card, or it is wrong.
        ModelError: the file is missing, changed, does not keep the contract, or takes pictures of another size only;
            names the cure.
    """
    found, path = load_card(card, root)
    return Session(found, path, device, outputs, size_wh)


def _engine(content: bytes, path: Path, device: Device) -> Any:
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
        engine = onnxruntime.InferenceSession(content, options, providers=list(device.providers))
    except Exception as error:  # the runtime's exceptions have no common base of their own
        cure = "give a single file with its weights inside, made for ONNX Runtime " + onnxruntime.__version__
        raise ModelError(f"model {path}: expected a model that loads, got: {_line(error)}; {cure}") from error
    # The runtime goes on without a provider that it cannot load, and says so in a log that nobody reads.
    wanted, got = _name(device.providers[0]), engine.get_providers()
    if wanted not in got:
        raise ModelError(
            f"model {path}: expected it to run on {wanted}, got {', '.join(got)}: that provider cannot be loaded; "
            "python run_graph.py doctor says what is missing, and --device cpu runs without it"
        )
    return engine


def _name(provider: Any) -> str:
    return provider if isinstance(provider, str) else str(provider[0])


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


def _part(content: bytes, card: ModelCard, outputs: Collection[str]) -> tuple[bytes, ModelCard]:
    """Return what of a file leads to some outputs, and the card of that; all of it where none are named."""
    if not outputs:
        return content, card
    try:
        names = names_in_file(card.contract.outputs, output_names(content))
        if not set(outputs) <= names.keys():
            return content, card  # the check of the contract says so
        content = leading_to(content, [names[name] for name in outputs])
    except (ValueError, RecursionError):
        return content, card  # no ONNX file; the runtime says so
    specs = {}
    for place, name in enumerate(name for name in names if name in outputs):
        spec = card.contract.outputs[name]
        specs[name] = spec if spec.position is None else spec.model_copy(update={"position": place})
    return content, card.model_copy(update={"contract": card.contract.model_copy(update={"outputs": specs})})


def _declared(nodes: Any, specs: Mapping[str, TensorSpec]) -> tuple[Tensors, dict[str, str]]:
    """Return what a file declares, and what it calls them, both by the names of the card."""
    tensors = {node.name: (tuple(node.shape), DTYPES.get(node.type, node.type)) for node in nodes}
    names = names_in_file(specs, tensors)
    return {ours: tensors[theirs] for ours, theirs in names.items()}, names


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
