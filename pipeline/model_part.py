"""Keep of a model file what leads to some of its outputs, or leave out values that it has for its inputs.

ONNX Runtime runs all nodes of a file, whatever is asked of it. The file is cut as protobuf lays it out on the wire, in
memory, so that nothing but the runtime is needed to do so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

# Numbers of fields in onnx.proto.
_GRAPH_OF_MODEL = 7
_NODE, _INITIALIZER, _OUTPUT_OF_GRAPH = 1, 5, 12
_NAME_OF_TENSOR = 8
_INPUT_OF_NODE, _OUTPUT_OF_NODE, _ATTRIBUTE = 1, 2, 5
_GRAPHS_OF_ATTRIBUTE = (6, 11)
_NAME_OF_VALUE = 1

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_LONGEST_VARINT = 10


class _Field(NamedTuple):
    number: int
    value: memoryview
    """What it holds; empty for numbers."""
    whole: memoryview


def output_names(content: bytes) -> list[str]:
    """Return the names of the outputs of a model, in its order.

    Raises:
        ValueError: it is no ONNX file.
    """
    fields = _fields(_graph(memoryview(content)).value)
    return [_name(field.value) for field in fields if field.number == _OUTPUT_OF_GRAPH]


def leading_to(content: bytes, outputs: Collection[str]) -> bytes:
    """Return the model without the nodes and outputs that those named do not need. Weights and inputs stay.

    Args:
        content: an ONNX file.
        outputs: names of some of its outputs.

    Raises:
        ValueError: it is no ONNX file.
    """
    model = memoryview(content)
    return _with_graph(model, b"".join(_kept(_graph(model).value, outputs)))


def all_fed(content: bytes, inputs: Collection[str]) -> bytes:
    """Return the model without the values that it has for some of its inputs, so that these must be fed.

    For runtimes that take an input with a value for a constant, whatever is fed.

    Args:
        content: an ONNX file.
        inputs: names of such inputs.

    Raises:
        ValueError: it is no ONNX file.
    """
    if not inputs:
        return content
    model = memoryview(content)
    fields = _fields(_graph(model).value)
    kept = [
        field.whole
        for field in fields
        if field.number != _INITIALIZER or _name(field.value, _NAME_OF_TENSOR) not in inputs
    ]
    return _with_graph(model, b"".join(kept))


def _with_graph(model: memoryview, graph: bytes) -> bytes:
    parts: list[bytes | memoryview] = []
    for field in _fields(model):
        parts += (
            [_tag(_GRAPH_OF_MODEL), _varint(len(graph)), graph] if field.number == _GRAPH_OF_MODEL else [field.whole]
        )
    return b"".join(parts)


def _kept(graph: memoryview, outputs: Collection[str]) -> Iterator[memoryview]:
    fields = list(_fields(graph))
    nodes = [k for k, field in enumerate(fields) if field.number == _NODE]
    made_by = {_text(part.value): k for k in nodes for part in _fields(fields[k].value, _OUTPUT_OF_NODE)}
    needed: set[int] = set()
    asked = list(outputs)
    while asked:
        node = made_by.get(asked.pop())
        if node is not None and node not in needed:
            needed.add(node)
            asked += _asked_by(fields[node].value)
    for k, field in enumerate(fields):
        left_out = (field.number == _NODE and k not in needed) or (
            field.number == _OUTPUT_OF_GRAPH and _name(field.value) not in outputs
        )
        if not left_out:
            yield field.whole


def _asked_by(node: memoryview) -> Iterator[str]:
    """Yield the names of what a node needs; those in branches and loops, too, which see what is around them."""
    for field in _fields(node):
        if field.number == _INPUT_OF_NODE:
            yield _text(field.value)
        elif field.number == _ATTRIBUTE:
            for held in _fields(field.value, *_GRAPHS_OF_ATTRIBUTE):
                for inner in _fields(held.value, _NODE):
                    yield from _asked_by(inner.value)
                yield from (_name(inner.value) for inner in _fields(held.value, _OUTPUT_OF_GRAPH))


def _graph(model: memoryview) -> _Field:
    graphs = list(_fields(model, _GRAPH_OF_MODEL))
    if len(graphs) != 1:
        raise ValueError(f"expected a model with one graph, got {len(graphs)}")
    return graphs[0]


def _name(value: memoryview, number: int = _NAME_OF_VALUE) -> str:
    return next((_text(field.value) for field in _fields(value, number)), "")


def _text(value: memoryview) -> str:
    return bytes(value).decode("utf-8")


def _fields(message: memoryview, *numbers: int) -> Iterator[_Field]:
    """Yield the fields of a message, all or those of some numbers.

    Raises:
        ValueError: it is no message.
    """
    at = 0
    while at < len(message):
        begin = at
        tag, at = _number(message, at)
        kind, start = tag & 7, at
        if kind == _VARINT:
            _, at = _number(message, at)
            start = at
        elif kind == _LENGTH:
            length, start = _number(message, at)
            at = start + length
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            at += 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"expected a field of a known kind, got {kind} at byte {begin}")
        if at > len(message):
            raise ValueError(f"expected {at} bytes, got {len(message)}")
        if not numbers or tag >> 3 in numbers:
            yield _Field(tag >> 3, message[start:at], message[begin:at])


def _number(message: memoryview, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, lowest first, and where it ends."""
    value = 0
    for k, byte in enumerate(message[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << 7 * k
        if byte < 0x80:
            return value, at + k + 1
    raise ValueError(f"expected a number at byte {at}, got none that ends")


def _tag(number: int) -> bytes:
    return _varint(number << 3 | _LENGTH)


def _varint(value: int) -> bytes:
    made = bytearray()
    while value >= 0x80:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])
