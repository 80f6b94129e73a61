"""How far the peak of a gaze map lies from where the network puts it, through the file's own last layers."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto, helper

from nodes.ops.heatmap import cell_centres
from nodes.surgery.graph import Array, Graph
from nodes.surgery.probing import dull_inputs, open_engine, run
from pipeline.errors import ModelError

COUNT = 200
"""Peaks that are tried."""
SIGMA = 3 / 64
"""Standard deviation of a peak, fractions of the picture: what these models are trained on."""
_HEIGHT = 0.9


def peak_error(model: ModelProto, output: str, source_wh: tuple[int, int]) -> float:
    """Return the mean distance, in fractions of the picture, from true peaks to the centres of the highest cells.

    See `maps_of_peaks`.

    Args:
        model: a gaze model.
        output: name of its map.
        source_wh: columns and rows of the map inside the network.

    Raises:
        ModelError: no sigmoid stands in front of the map.
    """
    places = np.random.default_rng(0).uniform(0.1, 0.9, (COUNT, 2))
    maps = maps_of_peaks(model, output, source_wh, places)
    best = maps.reshape(len(maps), -1).argmax(axis=1)
    x, y = cell_centres(maps.shape[2]), cell_centres(maps.shape[1])
    found = np.stack([x[best % maps.shape[2]], y[best // maps.shape[2]]], axis=1)
    return float(np.linalg.norm(found - places, axis=1).mean())


def maps_of_peaks(model: ModelProto, output: str, source_wh: tuple[int, int], places: Array) -> Array:
    """Return what becomes of maps with one Gaussian peak each, (N, h, w).

    The peaks are fed in where the network's last convolution ends, as logits, and come out through whatever the file
    does to its map behind that.

    Args:
        model: a gaze model.
        output: name of its map.
        source_wh: columns and rows of the map inside the network.
        places: (N, 2) x, y of the peaks, fractions of the picture.

    Raises:
        ModelError: no sigmoid stands in front of the map.
    """
    graph = Graph(model)
    made_by, name = graph.producers(), output
    while name in made_by and made_by[name].op_type != "Sigmoid":
        name = made_by[name].input[0]
    if name not in made_by:
        raise ModelError(f"output {output!r}: expected a sigmoid in front of it, got none")
    begin = graph.fresh("logits")
    made_by[name].input[0] = begin
    return _through(_tail(graph, begin, output), begin, output, _logits(places, source_wh))


def _logits(places: Array, size_wh: tuple[int, int]) -> Array:
    x, y = cell_centres(size_wh[0]), cell_centres(size_wh[1])
    squares = (x - places[:, :1])[:, None, :] ** 2 + (y - places[:, 1:])[:, :, None] ** 2
    heights = np.clip(_HEIGHT * np.exp(-squares / (2 * SIGMA**2)), 1e-6, None)
    return np.asarray(np.log(heights / (1 - heights)), np.float32)


def _tail(graph: Graph, begin: str, output: str) -> Graph:
    model = graph.model()
    kept = [item for item in model.graph.output if item.name == output]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    model.graph.input.append(helper.make_tensor_value_info(begin, TensorProto.FLOAT, None))
    tail = Graph(model)
    tail.prune()
    read = {name for node in tail.nodes for name in node.input}
    model = tail.model()
    inputs = [item for item in model.graph.input if item.name in read]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    return Graph(model)


def _through(tail: Graph, begin: str, output: str, logits: Array) -> Array:
    """Run the last layers, which take maps with or without an axis for their one channel."""
    engine = open_engine(tail.model())
    others = {name: tail.declared(name)[0] for name in tail.inputs if name != begin}
    heads = {name: tuple(n if isinstance(n, int) else len(logits) for n in shape) for name, shape in others.items()}
    for given in (logits, logits[:, None]):
        try:
            (maps,) = run(engine, [output], {**dull_inputs(tail, heads), begin: given})
        except ModelError:
            continue
        if maps.ndim == 3:
            return maps
    raise ModelError(f"output {output!r}: expected it to be computed from a map in front of its sigmoid, got no maps")
