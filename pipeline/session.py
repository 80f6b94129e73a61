"""Run a model: names in, arrays out. The one seam between nodes and what executes models."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pipeline.backends.acceleration import Acceleration
from pipeline.backends.backend import Backend, Model, Tensors, one_line
from pipeline.backends.onnxruntime import OnnxRuntime
from pipeline.card_contract import TensorSpec, fits, with_size
from pipeline.cards import ModelCard, load_card, no_file
from pipeline.contract_check import (
    check_declared,
    check_outputs,
    check_size,
    in_words,
    names_in_file,
    trial_inputs,
)
from pipeline.device import Device
from pipeline.errors import ModelError
from pipeline.model_part import all_fed, leading_to, output_names

MAX_BYTES = 2**31 - 1
"""Protobuf, hence ONNX, holds no more in one file."""


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
        acceleration: Acceleration | None = None,
    ) -> None:
        self._path = path
        self._device = device
        content, card = _part(_read_checked(card, path), card, outputs)
        self._backend: Backend = OnnxRuntime(content, path, device)
        spare = {name: tensor for name, tensor in self._backend.spare.items() if name in card.contract.inputs}
        self.inputs, self._fed = _declared({**self._backend.inputs, **spare}, card.contract.inputs)
        self.outputs, self._told = _declared(self._backend.outputs, card.contract.outputs)
        self.optional = frozenset(spare)
        if size_wh:
            check_size(card, path, self.inputs, size_wh)
            card = card.model_copy(update={"input_size_wh": size_wh})
        self.card = card
        check_declared(card, path, self.inputs, self.outputs, self.optional)
        self._unproved = frozenset(card.contract.outputs)
        trial = self._try_out()
        if acceleration:
            self._backend = acceleration.over(self._backend, self._model(content, trial), device)

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Run the model once.

        Args:
            inputs: an array for each input of the contract, on the session's device, with dtype and axes as declared;
                those that are `optional` may be left out. Arrays of other libraries do, if they have `__dlpack__`.

        Returns:
            An array for each output of the contract, with `__dlpack__`. They are the caller's: no later run touches
            them.

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
        self._backend.close()

    def _run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        needed = self.inputs.keys() - self.optional
        if not needed <= inputs.keys() <= self.inputs.keys():
            may = f" and perhaps {sorted(self.optional)}" if self.optional else ""
            must = [name for name in self.inputs if name in needed]
            raise ModelError(f"model {self._path}: expected inputs {must}{may}, got {list(inputs)}")
        fed = {self._fed[name]: self._taken(name, array) for name, array in inputs.items()}
        wanted = {name: self._told[name] for name in self.card.contract.outputs}
        try:
            told = self._backend.run(fed, list(wanted.values()))
        except Exception as error:  # those of the runtimes have no common base
            shapes = {name: tuple(fed[self._fed[name]].shape) for name in inputs}
            raise ModelError(f"model {self._path}: failed on inputs of shape {shapes}: {one_line(error)}") from error
        return {name: told[theirs] for name, theirs in wanted.items()}

    def _taken(self, name: str, array: Any) -> Any:
        """Return an input as an array of the device that lies in one piece."""
        shape, dtype = self.inputs[name]
        try:
            array = self._device.taken(array)
        except (TypeError, ValueError, BufferError, RuntimeError, AttributeError) as error:
            wanted = f"an array of the device {self._device.kind!r}"
            raise ModelError(
                f"model {self._path}: input {name!r}: expected {wanted}, got {type(array).__name__} ({one_line(error)})"
            ) from error
        if str(array.dtype) != dtype or not fits(array.shape, shape):
            expected, got = in_words(shape, dtype), in_words(array.shape, array.dtype)
            raise ModelError(f"model {self._path}: input {name!r}: expected {expected}, got {got}")
        return self._device.xp.ascontiguousarray(array)

    def _try_out(self) -> dict[str, Any] | None:
        """Run once on made-up input, and return it: what a file declares wrongly shows before the first frame.

        A model that fails on what is no picture says nothing of itself: its first frame is its trial.
        """
        trial = trial_inputs(self.card, self.inputs, self._device.xp)
        try:
            outputs = self._run(trial)
        except ModelError:
            return None
        host = {name: self._device.to_host(array) for name, array in outputs.items()}
        check_outputs(self.card, self._path, host, "in a trial run")
        return trial

    def _model(self, content: bytes, trial: Mapping[str, Any] | None) -> Model:
        """Return what something else needs to execute the same file."""
        inputs = {}
        for name, spec in self.card.contract.inputs.items():
            declared, dtype = self.inputs[name]
            wanted = with_size(spec.shape, self.card.input_size_wh)
            extents = zip(wanted, declared or wanted, strict=True)
            inputs[self._fed[name]] = tuple(b if isinstance(b, int) else a for a, b in extents), dtype
        return Model(
            self.card.name,
            all_fed(content, [self._fed[name] for name in self.optional]),
            inputs,
            tuple(self._told[name] for name in self.card.contract.outputs),
            trial and {self._fed[name]: array for name, array in trial.items()},
        )

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
    acceleration: Acceleration | None = None,
) -> Session:
    """Open the model of a card.

    Args:
        card: a name in `configs/models`, a path to a card, or a path to an .onnx file that a card names.
        device: where it runs and where its inputs and outputs live.
        root: the checkout.
        outputs: those of the contract that are wanted; what only others need is never computed. None: all.
        size_wh: width and height of the pictures it will be given, pixels; None: as the card says.
        acceleration: what executes it in place of ONNX Runtime as soon as it can; None: nothing does.

    Raises:
        ConfigError: there is no such card, or it is wrong.
        ModelError: the file is missing, changed, does not keep the contract, or takes pictures of another size only;
            names the cure.
    """
    found, path = load_card(card, root)
    return Session(found, path, device, outputs, size_wh, acceleration)


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


def _declared(tensors: Tensors, specs: Mapping[str, TensorSpec]) -> tuple[Tensors, dict[str, str]]:
    """Return what a file declares, and what it calls them, both by the names of the card."""
    names = names_in_file(specs, tensors)
    return {ours: tensors[theirs] for ours, theirs in names.items()}, names
