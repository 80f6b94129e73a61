"""An ONNX graph that can be taken apart: nodes in a list, constants as arrays, edges by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Array = np.ndarray[Any, np.dtype[Any]]


class Graph:
    """A copy of a model's graph, to be changed and made into a model again.

    Nodes of the type Constant become constants like all others, and weights that are kept in half precision, to be cast
    when they are read, constants of single precision. The order of `nodes` does not matter until `model()`.

    Attributes:
        nodes: the nodes; changed in place.
    """

    def __init__(self, model: ModelProto) -> None:
        self._model = ModelProto()
        self._model.CopyFrom(model)
        self.nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {item.name: item for item in self._model.graph.initializer}
        for node in self._model.graph.node:
            if node.op_type == "Constant" and node.domain in ("", "ai.onnx"):
                self._constants[node.output[0]] = _constant_of(node)
            elif (single := _single(node, self._constants)) is not None:
                self._constants[node.output[0]] = single
            else:
                self.nodes.append(node)
        # Old files list constants among the inputs, too; since version 4 of the format they need not.
        given = [item for item in self._model.graph.input if item.name not in self._constants]
        del self._model.graph.input[:]
        self._model.graph.input.extend(given)
        self._model.ir_version = max(self._model.ir_version, 4)
        names = [name for node in self.nodes for name in (*node.input, *node.output)]
        self._taken = {*names, *self._constants, *self.inputs, *self.outputs}
        for node in self.nodes:
            node.name = self.fresh(node.name or node.op_type)

    @property
    def opset(self) -> int:
        """Version of the standard operators."""
        return max(int(item.version) for item in self._model.opset_import if item.domain in ("", "ai.onnx"))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that are no constants."""
        return tuple(item.name for item in self._model.graph.input)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return tuple(item.name for item in self._model.graph.output)

    @property
    def constants(self) -> set[str]:
        """Names of the constants."""
        return set(self._constants)

    def declared(self, name: str) -> tuple[tuple[int | str | None, ...], int]:
        """Return shape (numbers, names, or None) and ONNX element type of an input or output."""
        known = (*self._model.graph.input, *self._model.graph.output)
        tensor = next(item for item in known if item.name == name).type.tensor_type
        shape = tuple(
            axis.dim_value if axis.HasField("dim_value") else (axis.dim_param or None) for axis in tensor.shape.dim
        )
        return shape, tensor.elem_type

    def constant(self, name: str) -> Array | None:
        """Return the value of a constant, or None where the name is none."""
        found = self._constants.get(name)
        return None if found is None else numpy_helper.to_array(found)

    def add_constant(self, value: Any, hint: str) -> str:
        """Keep an array and return its name."""
        name = self.fresh(hint)
        self._constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def ints(self, values: Iterable[int], hint: str) -> str:
        """Keep a list of int64 and return its name."""
        return self.add_constant(np.array(list(values), np.int64), hint)

    def set_constant(self, name: str, value: Any) -> None:
        """Give what a node made a fixed value; the node must be gone, or be removed."""
        self._constants[name] = numpy_helper.from_array(np.asarray(value), name)

    def ask_for(self, name: str, shape: Iterable[int | str], dtype: int) -> None:
        """Make a constant an input that must be fed."""
        del self._constants[name]
        self.set_input(name, shape, dtype)

    def fresh(self, hint: str) -> str:
        """Return a name that nothing has, and take it."""
        name, count = hint, 1
        while name in self._taken:
            count += 1
            name = f"{hint}_{count}"
        self._taken.add(name)
        return name

    def add(self, op: str, inputs: Iterable[str], hint: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        made = output or self.fresh(hint)
        node = helper.make_node(op, list(inputs), [made], self.fresh(f"{hint}_node"), **attributes)
        self.nodes.append(node)
        return made

    def remove(self, node: NodeProto) -> None:
        """Take a node out; its outputs must be made by another one, or by nobody that is read."""
        self.nodes = [other for other in self.nodes if other is not node]

    def producers(self) -> dict[str, NodeProto]:
        """Return the node that makes each tensor."""
        return {name: node for node in self.nodes for name in node.output if name}

    def readers(self) -> dict[str, list[NodeProto]]:
        """Return the nodes that read each tensor."""
        found: dict[str, list[NodeProto]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.input):
                if name:
                    found.setdefault(name, []).append(node)
        return found

    def redirect(self, old: str, new: str, but: NodeProto | None = None) -> None:
        """Let all nodes that read one tensor read another one."""
        for node in self.nodes:
            if node is not but:
                for k, name in enumerate(node.input):
                    if name == old:
                        node.input[k] = new

    def set_input(self, name: str, shape: Iterable[int | str], dtype: int) -> None:
        """Declare an input: one that is there changes, another one is added."""
        made = helper.make_tensor_value_info(name, dtype, list(shape))
        for item in self._model.graph.input:
            if item.name == name:
                item.CopyFrom(made)
                return
        self._model.graph.input.append(made)
        self._taken.add(name)

    def set_output(self, name: str, shape: Iterable[int | str], dtype: int) -> None:
        """Declare the shape and element type of an output."""
        item = next(item for item in self._model.graph.output if item.name == name)
        item.CopyFrom(helper.make_tensor_value_info(name, dtype, list(shape)))

    def in_order(self) -> list[NodeProto]:
        """Return the nodes so that each stands below what it reads."""
        made_by, order, state = self.producers(), [], dict.fromkeys((id(node) for node in self.nodes), 0)
        for root in self.nodes:
            stack = [root]
            while stack:
                node = stack[-1]
                if state[id(node)] == 0:
                    state[id(node)] = 1
                    above = (made_by[name] for name in node.input if name in made_by)
                    stack += [other for other in above if state[id(other)] == 0]
                    continue
                if state[id(stack.pop())] == 1:
                    state[id(node)] = 2
                    order.append(node)
        return order

    def prune(self) -> None:
        """Take out nodes and constants that no output depends on."""
        made_by, wanted, stack = self.producers(), set(), list(self.outputs)
        while stack:
            name = stack.pop()
            if name in wanted:
                continue
            wanted.add(name)
            if name in made_by:
                stack += [*made_by[name].input, *made_by[name].output]
        self.nodes = [node for node in self.nodes if any(name in wanted for name in node.output)]
        self._constants = {name: item for name, item in self._constants.items() if name in wanted}

    def model(self, also: Mapping[str, int] | None = None) -> ModelProto:
        """Return a model of what is here.

        Args:
            also: tensors that become outputs too, with their ONNX element types.
        """
        made = ModelProto()
        made.CopyFrom(self._model)
        graph = made.graph
        for field in (graph.node, graph.initializer, graph.value_info, graph.sparse_initializer):
            del field[:]
        graph.node.extend(self.in_order())
        graph.initializer.extend(self._constants.values())
        for name, dtype in (also or {}).items():
            graph.output.append(helper.make_tensor_value_info(name, dtype, None))
        made.producer_name = "gazegraph models prepare"
        made.producer_version = ""
        return made


def attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    """Return the value of a node's attribute; text as str."""
    for item in node.attribute:
        if item.name == name:
            value = helper.get_attribute_value(item)
            return value.decode() if isinstance(value, bytes) else value
    return default


def _single(node: NodeProto, constants: Mapping[str, TensorProto]) -> TensorProto | None:
    """Return in single precision the constant that a node casts from half precision, or None if it does not."""
    held = constants.get(node.input[0]) if node.op_type == "Cast" else None
    if held is None or held.data_type != TensorProto.FLOAT16 or attribute(node, "to") != TensorProto.FLOAT:
        return None
    return numpy_helper.from_array(numpy_helper.to_array(held).astype(np.float32), node.output[0])


def _constant_of(node: NodeProto) -> TensorProto:
    value = node.attribute[0]
    name = node.output[0]
    if value.name == "value":
        tensor = onnx.TensorProto()
        tensor.CopyFrom(value.t)
        tensor.name = name
        return tensor
    dtype = np.int64 if value.name in ("value_int", "value_ints") else np.float32
    return numpy_helper.from_array(np.array(helper.get_attribute_value(value), dtype), name)
