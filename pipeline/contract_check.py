"""Hold a model file against the contract of its card: what it declares, and what comes out of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.backends.backend import Tensors
from pipeline.card_contract import Shape, TensorSpec, fits, with_size
from pipeline.cards import ModelCard
from pipeline.errors import ModelError

Array = np.ndarray[Any, np.dtype[Any]]

ROUNDING = 1e-3
"""Values may leave their range by this share of it: sums of weights, half precision and steps of int8 are not exact."""


def names_in_file(specs: Mapping[str, TensorSpec], declared: Iterable[str]) -> dict[str, str]:
    """Return what the file calls its inputs, or outputs, by the names that the card gives them.

    Args:
        specs: of the contract.
        declared: the names in the file, in its order.
    """
    theirs = list(declared)
    placed = {spec.position: name for name, spec in specs.items() if spec.position is not None}
    ours = {theirs[place]: name for place, name in placed.items() if place < len(theirs)}
    return {ours.get(name, name): name for name in theirs}


def check_declared(
    card: ModelCard, path: Path, inputs: Tensors, outputs: Tensors, optional: Collection[str] = ()
) -> None:
    """Refuse a file that declares other inputs or outputs than the contract, called as in the card.

    Args:
        card: of the model.
        path: its file.
        inputs: as the file declares them.
        outputs: as the file declares them.
        optional: inputs for which the file has a value.

    Raises:
        ModelError: says what was expected and what the file has.
    """
    contract = card.contract
    for kind, wanted, got in (("input", contract.inputs, inputs), ("output", contract.outputs, outputs)):
        for name, spec in wanted.items():
            shape, dtype = got.get(name, ((), ""))
            if dtype != spec.dtype or not fits(with_size(spec.shape, card.input_size_wh), shape):
                raise _breach(card, path, f"{kind} {name!r} of {in_words(spec.shape, spec.dtype)}", f"{kind}s", got)
    for name, spec in contract.inputs.items():
        if spec.optional and name not in optional:
            raise _breach(card, path, f"a value for the input {name!r} in the file", "none for", {name: inputs[name]})
    if extra := [name for name in inputs if name not in contract.inputs]:
        got = {name: inputs[name] for name in extra}
        raise _breach(card, path, f"no inputs but {list(contract.inputs)}", "also", got)


def check_size(card: ModelCard, path: Path, inputs: Tensors, size_wh: tuple[int, int]) -> None:
    """Refuse to give a file pictures of another size than the card says, if it does not take any size.

    Args:
        card: of the model, with the size that it is usually given.
        path: its file.
        inputs: as the file declares them.
        size_wh: width and height that it is to be given instead, pixels.

    Raises:
        ModelError: the contract or the file fixes the size.
    """
    named = [
        declared
        for name, spec in card.contract.inputs.items()
        for wanted, declared in zip(spec.shape, inputs.get(name, ((), ""))[0], strict=False)
        if wanted in ("H", "W")
    ]
    if size_wh != card.input_size_wh and (not named or any(isinstance(extent, int) for extent in named)):
        usual = list(card.input_size_wh) if card.input_size_wh else "none"
        raise ModelError(
            f"model {path}: expected pictures of the one size that it takes, {usual}, got input_size_wh "
            f"{list(size_wh)}; set input_size_wh to null, or choose a model whose file takes any size"
        )


def check_outputs(card: ModelCard, path: Path, outputs: Mapping[str, Array], when: str) -> None:
    """Refuse outputs of another rank, size or dtype than the contract, or beyond its ranges.

    Args:
        card: of the model.
        path: its file.
        outputs: on the host, by name; those that are not given are not looked at.
        when: words for messages.

    Raises:
        ModelError: says what was expected and what came out.
    """
    for name, array in outputs.items():
        spec = card.contract.outputs[name]
        wanted = with_size(spec.shape, card.input_size_wh)
        if array.ndim != len(wanted) or str(array.dtype) != spec.dtype or not fits(array.shape, wanted):
            got = {name: (array.shape, str(array.dtype))}
            raise _breach(card, path, f"output {name!r} of {in_words(spec.shape, spec.dtype)}", when, got)
        if spec.range is None or not array.size:
            continue
        low, high = spec.range
        spare = ROUNDING * (high - low) if np.isfinite(high - low) else 0.0
        if not (array.min() >= low - spare and array.max() <= high + spare):
            raise ModelError(
                f"model {path}: expected output {name!r} within {low:g} to {high:g}, got {array.min():.4g} to "
                f"{array.max():.4g} {when}; the card {card.name!r} wants another file or another range"
            )


def trial_inputs(card: ModelCard, declared: Tensors, xp: Any) -> dict[str, Any]:
    """Return inputs to try a model on: values that rise along the last axis over their range, 0 to 1 without one.

    So a picture is a ramp or one colour, and a box has an area. Indices are the smallest of their range. Axes whose
    extent is free have one entry, those of the same name as many as the file fixes for one of them.

    Args:
        card: of the model.
        declared: its inputs, called as in the card.
        xp: array namespace of the device.
    """
    specs = card.contract.inputs
    shapes = {name: with_size(spec.shape, card.input_size_wh) for name, spec in specs.items()}
    fixed: dict[int | str | None, int] = {
        wanted: extent
        for name, shape in shapes.items()
        for wanted, extent in zip(shape, declared[name][0], strict=False)
        if isinstance(wanted, str) and isinstance(extent, int)
    }
    inputs = {}
    for name, spec in specs.items():
        shape = tuple(extent if isinstance(extent, int) else fixed.get(extent, 1) for extent in shapes[name])
        low, high = spec.range or (0.0, 1.0)
        steps = shape[-1] if shape and spec.dtype not in ("int32", "int64", "bool") else 1
        values = np.linspace(low, high, steps).astype(spec.dtype)
        inputs[name] = xp.asarray(np.array(np.broadcast_to(values if shape else values[0], shape)))
    return inputs


def in_words(shape: Shape, dtype: Any) -> str:
    """Return a tensor as messages have it: `float32 [N, 3]`."""
    return f"{dtype} [{', '.join('?' if extent is None else str(extent) for extent in shape)}]"


def _breach(card: ModelCard, path: Path, expected: str, where: str, got: Tensors) -> ModelError:
    tensors = ", ".join(f"{name!r} of {in_words(*tensor)}" for name, tensor in got.items()) or "none"
    return ModelError(
        f"model {path}: expected {expected}, got {where} {tensors}; the card {card.name!r} wants a file "
        f"of the family {card.family!r}: give such a file, or the card that fits this one"
    )
