"""Contracts of model cards: the inputs and outputs that a file must have."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Shape = tuple[int | str | None, ...]
"""Extents of axes; a name, or None, is any."""


class TensorSpec(BaseModel):
    """What one input or output must look like."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    dtype: Literal["float16", "float32", "float64", "uint8", "int8", "int32", "int64", "bool"] = "float32"
    shape: tuple[int | str, ...]
    """One entry per axis: a number is that extent, a name is any. `H` and `W` stand for the card's `input_size_wh`
    where the file fixes them."""
    range: tuple[float, float] | None = None
    """Smallest and largest value. Outputs are held to it in a trial run when the model is opened, and on the first
    frame; inputs of the trial run lie within it."""
    position: int | None = Field(None, ge=0)
    """Where the file has it among its inputs, or among its outputs, from 0, when its makers tell the place and not the
    name, or another name in each file; what it is called here is then up to the card."""
    optional: bool = False
    """Inputs only: the file has a value for it, which holds where nobody feeds it (in ONNX an input with an initializer
    of the same name)."""

    @model_validator(mode="after")
    def _range_rises(self) -> Self:
        if self.range and not self.range[0] < self.range[1]:
            raise ValueError(f"range: expected the smaller value first, got {list(self.range)}; swap them")
        return self


class Contract(BaseModel):
    """Inputs and outputs by name. A file must have exactly these inputs, and at least these outputs.

    Inputs for which a file has a value of its own may be left out; its value then holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]

    @model_validator(mode="after")
    def _places_are_taken_once(self) -> Self:
        for side, specs in (("inputs", self.inputs), ("outputs", self.outputs)):
            places = [spec.position for spec in specs.values() if spec.position is not None]
            if len(places) != len(set(places)):
                raise ValueError(f"{side}: expected each position once, got {places}; correct them")
        return self

    @model_validator(mode="after")
    def _outputs_are_always_there(self) -> Self:
        if optional := [name for name, spec in self.outputs.items() if spec.optional]:
            raise ValueError(f"outputs: expected `optional` of inputs only, got it of {optional}; take it away")
        return self


def fits(shape: Shape, declared: Shape) -> bool:
    """Tell whether a shape agrees with a declared one wherever both give numbers; `()` declares nothing."""
    if not declared:
        return True
    return len(shape) == len(declared) and all(
        not (isinstance(a, int) and isinstance(b, int)) or a == b for a, b in zip(shape, declared, strict=True)
    )


def with_size(shape: Shape, size_wh: tuple[int, int] | None) -> Shape:
    """Return a shape with the extents that `W` and `H` stand for."""
    named = {"W": size_wh[0], "H": size_wh[1]} if size_wh else {}
    return tuple(named.get(extent, extent) if isinstance(extent, str) else extent for extent in shape)
