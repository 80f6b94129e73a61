"""What stands for an array namespace in tests: functions and operators of the standard, which numpy does elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

FUNCTIONS = """
    abs all any arange argmax argmin astype broadcast_to clip concat cos diff exp expm1 floor full isfinite isnan
    log log1p logical_and logical_not logical_or matmul max maximum mean min minimum ones permute_dims prod reshape
    sin sqrt stack sum take take_along_axis tan where zeros
"""
"""Those whose result has a shape that does not hang on the values: a device can begin them and need not wait."""
CONSTANTS = "bool float32 float64 int32 int64 uint8"
_OPERATORS = {
    "add": np.add,
    "and": np.bitwise_and,
    "eq": np.equal,
    "floordiv": np.floor_divide,
    "ge": np.greater_equal,
    "gt": np.greater,
    "le": np.less_equal,
    "lt": np.less,
    "matmul": np.matmul,
    "mod": np.remainder,
    "mul": np.multiply,
    "ne": np.not_equal,
    "or": np.bitwise_or,
    "pow": np.power,
    "sub": np.subtract,
    "truediv": np.divide,
}
_REFLECTED = ("add", "mul", "sub", "truediv", "pow", "matmul")


def functions_by(begin: Callable[..., Any], name: str) -> Any:
    """Return a function or a constant of a namespace, by its name.

    Args:
        begin: does a numpy function on arrays of that namespace.
        name: of the function.

    Raises:
        AttributeError: the namespace has none of that name.
    """
    if name in CONSTANTS.split():
        return getattr(np, name)
    if name not in FUNCTIONS.split():
        raise AttributeError(f"the stand-in has no {name}: is its shape known before its values are?")
    function = getattr(np, name)
    return lambda *args, **options: begin(function, *args, **options)


class Operators:
    """The operators of an array, each done by a numpy function in the way of the class below."""

    __hash__ = object.__hash__

    def begin(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Do a function on arrays."""
        raise NotImplementedError

    def __neg__(self) -> Any:
        return self.begin(np.negative, self)

    def __invert__(self) -> Any:
        return self.begin(np.invert, self)

    def __bool__(self) -> bool:
        raise TypeError("the host asked whether an array of the device is true: that waits, and is not counted")

    __float__ = __int__ = __index__ = __bool__  # type: ignore[assignment]


def _operator(function: Callable[..., Any], reflected: bool) -> Callable[[Any, Any], Any]:
    if reflected:
        return lambda self, other: self.begin(function, other, self)
    return lambda self, other: self.begin(function, self, other)


for _name, _function in _OPERATORS.items():
    setattr(Operators, f"__{_name}__", _operator(_function, reflected=False))
    if _name in _REFLECTED:
        setattr(Operators, f"__r{_name}__", _operator(_function, reflected=True))


def each_array(kind: type[Any], do: Callable[[Any], Any], given: Any) -> Any:
    """Return arguments with `do` done to each array of a kind, in sequences, too.

    Raises:
        TypeError: an array of the host is among them.
    """
    if isinstance(given, kind):
        return do(given)
    if isinstance(given, np.ndarray):
        raise TypeError("an array of the host came into the maths of the device")
    if isinstance(given, list | tuple):
        return type(given)(each_array(kind, do, one) for one in given)
    return given
