"""What travels on edges: frozen tables of columns that the engine can count, join, record and compare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any, Self, TypeVar

import numpy as np

from pipeline.namespaces import namespace, picked

V = TypeVar("V", bound="Value")
_COLUMNS: dict[type[Value], tuple[Field[Any], ...]] = {}
"""Columns by kind: they are asked for many times a tick."""
_ON_DEVICE: dict[type[Value], tuple[str, ...]] = {}
"""Names of those that may lie on a device."""
_SHAPES: dict[type[Value], tuple[tuple[str, Any, Any], ...]] = {}
"""Name, dtype and widths of these columns."""


def column(dtype: Any, *shape: int | None, on_device: bool = False) -> Any:
    """Declare an array column: `(N, *shape)` of `dtype`; a None in `shape` leaves that extent free.

    With `on_device` it may lie in the memory of a device, where its rows were made. All others are on the host.
    """
    return field(metadata={"dtype": np.dtype(dtype), "shape": shape, "on_device": on_device})


def names() -> Any:
    """Declare a column of strings: a tuple of N `str`."""
    return field(metadata={"names": True})


def attached(default: Any) -> Any:
    """Declare something that rides along with a value but is no part of it: never recorded, counted or compared."""
    return field(default=default, compare=False, repr=False, metadata={"attached": True})


@dataclass(frozen=True, eq=False)
class Value:
    """A table of N rows. Fields are declared with `column()` and `names()` and are checked at construction.

    A value is never edited in place. A column `frame_row` (N,) int64, where there is one, says to which row of
    the tick's `FrameBatch` a row belongs; rows of different values are matched by `frame_row` and `track_id`.

    Raises:
        ValueError: a column has the wrong dtype, width or number of rows; the message names class and column.
    """

    def __post_init__(self) -> None:
        if not _plainly_right(self):
            self._check()

    def _check(self) -> None:
        count: int | None = None
        first = ""
        for spec in columns(type(self)):
            value = getattr(self, spec.name)
            where = f"{type(self).__name__}.{spec.name}"
            if "names" in spec.metadata:
                if not isinstance(value, tuple):
                    raise ValueError(f"{where}: expected a tuple of str, got {type(value).__name__}")
            else:
                _check_array(where, value, spec.metadata["dtype"], spec.metadata["shape"])
                if not (spec.metadata["on_device"] or isinstance(value, np.ndarray)):
                    raise ValueError(
                        f"{where}: expected an array on the host, got {type(value).__name__}; use Device.to_host"
                    )
            if count is None:
                count, first = len(value), spec.name
            elif len(value) != count:
                raise ValueError(f"{where}: expected {count} rows to match {first}, got {len(value)}")

    def __len__(self) -> int:
        return len(getattr(self, columns(type(self))[0].name))

    def __init_subclass__(cls) -> None:
        # A dataclass writes a repr with all content, unless its own class has one.
        type.__setattr__(cls, "__repr__", Value.__repr__)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} rows)"

    @classmethod
    def empty(cls) -> Self:
        """Return the table with no rows: right columns, right dtypes, right widths."""
        made: dict[str, Any] = {}
        for spec in columns(cls):
            if "names" in spec.metadata:
                made[spec.name] = ()
            else:
                shape = (0, *(extent or 0 for extent in spec.metadata["shape"]))
                made[spec.name] = np.empty(shape, spec.metadata["dtype"])
        return cls(**made)

    def take(self, rows: Any) -> Self:
        """Return the rows picked by an index array `(M,) int` or a mask `(N,) bool`, in that order."""
        index = np.asarray(rows)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.int64)
        made: dict[str, Any] = {}
        for spec in fields(self):
            value = getattr(self, spec.name)
            if "attached" in spec.metadata:
                made[spec.name] = value
            elif "names" in spec.metadata:
                made[spec.name] = tuple(value[i] for i in index)
            elif isinstance(value, np.ndarray):
                made[spec.name] = value[index]
        if there := on_device(self):
            made.update(zip(there, picked(list(there.values()), index), strict=True))
        return type(self)(**made)


def columns(kind: type[Value]) -> tuple[Field[Any], ...]:
    """Return the declared columns of a kind of value, in order; what is merely attached is left out."""
    if kind not in _COLUMNS:
        _COLUMNS[kind] = tuple(spec for spec in fields(kind) if "attached" not in spec.metadata)
    return _COLUMNS[kind]


def concat(tables: Sequence[V]) -> V:
    """Stack tables of one kind; tables without rows do not count, so free extents may differ there."""
    filled = [table for table in tables if len(table)]
    if len(filled) < 2:
        return filled[0] if filled else tables[0]
    made: dict[str, Any] = {}
    for spec in columns(type(filled[0])):
        parts = [getattr(table, spec.name) for table in filled]
        made[spec.name] = sum(parts, ()) if "names" in spec.metadata else namespace(parts[0]).concat(parts)
    return type(filled[0])(**made)


def items(value: Value) -> Iterator[tuple[str, Any]]:
    """Yield `(column name, content)` in declared order."""
    for spec in columns(type(value)):
        yield spec.name, getattr(value, spec.name)


def on_device(value: Value) -> dict[str, Any]:
    """Return the columns that are not on the host, by name."""
    kind = type(value)
    if kind not in _ON_DEVICE:
        _ON_DEVICE[kind] = tuple(spec.name for spec in columns(kind) if spec.metadata.get("on_device"))
    there = ((name, getattr(value, name)) for name in _ON_DEVICE[kind])
    return {name: array for name, array in there if not isinstance(array, np.ndarray)}


def nbytes(value: Value) -> int:
    """Return the bytes held by the columns of a value."""
    return sum(len("".join(c).encode()) if isinstance(c, tuple) else int(c.nbytes) for _, c in items(value))


def equal(a: Value, b: Value) -> bool:
    """Tell whether two values are the same kind with the same content, bit for bit (NaN equals NaN)."""
    if type(a) is not type(b) or len(a) != len(b):
        return False
    for (_, x), (_, y) in zip(items(a), items(b), strict=True):
        same = (
            x == y
            if isinstance(x, tuple)
            else x.shape == y.shape and np.asarray(x).tobytes() == np.asarray(y).tobytes()
        )
        if not same:
            return False
    return True


def _plainly_right(value: Value) -> bool:
    """Tell whether all columns are arrays of the declared dtypes and widths; False asks for a closer look.

    Values are made many times a tick, and nearly always as they should be.
    """
    kind = type(value)
    shapes = _SHAPES.get(kind)
    if shapes is None:
        shapes = _SHAPES[kind] = tuple(
            (spec.name, spec.metadata.get("dtype"), spec.metadata.get("shape")) for spec in columns(kind)
        )
    count = -1
    for name, dtype, widths in shapes:
        array = getattr(value, name)
        if dtype is None or type(array) is not np.ndarray or array.dtype is not dtype or array.shape[1:] != widths:
            return False
        if count < 0:
            count = len(array)
        elif len(array) != count:
            return False
    return True


def _check_array(where: str, value: Any, dtype: np.dtype[Any], shape: tuple[int | None, ...]) -> None:
    got = getattr(value, "dtype", None)
    if got != dtype:
        raise ValueError(f"{where}: expected an array of {dtype}, got {got or type(value).__name__}")
    trailing = value.shape[1:]
    if len(trailing) != len(shape) or any(w is not None and w != g for w, g in zip(shape, trailing, strict=True)):
        wanted = ", ".join(["N", *("?" if extent is None else str(extent) for extent in shape)])
        raise ValueError(f"{where}: expected shape ({wanted}), got {tuple(value.shape)}")
