"""Prepare a gaze model: bytes in, heads of many pictures in one call, the whole map out."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto

from nodes.surgery.batch_pictures import PICTURE_ROW, batch_pictures
from nodes.surgery.branches import take_branches
from nodes.surgery.gaze_trial import (
    BOXES,
    IN_FRAME,
    MAP,
    PICTURES,
    Answer,
    apart,
    ask_prepared,
    ask_released,
    finite,
    prepared_inputs,
    thinned,
)
from nodes.surgery.graph import Array, Graph
from nodes.surgery.job import Figures, Job, Rewritten, Source, milliseconds, require_same
from nodes.surgery.peak_error import peak_error
from nodes.surgery.picture_input import drop_idle_resizes, take_bytes
from nodes.surgery.probing import dull_inputs, open_engine, shapes_of
from nodes.surgery.sides import Side, sides
from nodes.surgery.trials import Trial
from nodes.surgery.whole_map import Thinning, keep_whole_map
from pipeline.card_fields import Picture
from pipeline.errors import ModelError

ALLOWED = {"map_max": 0.03, "map_mean": 0.003, "peak_cells_max": 1.0, "inout_max": 0.02}
"""How far answers in half precision may lie from those in single precision."""

OLDEST_OPSET = 11
"""Older standard operators say otherwise how they resize, pad and cut."""


class GazeJob(Job):
    """Prepares one gaze model."""

    def __init__(self, source: Source, released: ModelProto) -> None:
        super().__init__(source, released)
        self._thinning: Thinning | None = None
        graph = Graph(released)
        self._takes_many = PICTURE_ROW in graph.constants
        """The file is told in which of many pictures heads are, and takes the first where it is not told."""
        self._check_tensors(graph)

    def rewrite(self) -> Rewritten:
        """See `Job.rewrite`."""
        width, height = self.source.size_wh
        trials = [{PICTURES: (1, 3, height, width), BOXES: (1, heads, 4)} for heads in (1, 2, 3)]
        declared = Graph(self.released)
        dull = [dull_inputs(declared, shapes) for shapes in trials]
        graph = Graph(take_branches(self.released, dull))
        runs = [shapes_of(graph, given) for given in dull]
        idle = drop_idle_resizes(graph, runs)
        self._thinning = keep_whole_map(graph, MAP, runs[1])
        if self._takes_many:
            _ask_for_rows(graph)
        else:
            batch_pictures(graph, PICTURES, BOXES)
        take_bytes(graph, PICTURES, "B", (width, height), self.source.card.picture)
        rows, columns = self._cells(runs[1])
        for name, shape in ((MAP, ("heads", rows, columns)), (IN_FRAME, ("heads",))):
            if name in graph.outputs:
                graph.set_output(name, shape, graph.declared(name)[1])
        made = Rewritten(graph.model())
        made.steps = {
            "pictures": f"uint8 [B, {height}, {width}, 3] BGR, any number in one call; {PICTURE_ROW} tells each head's",
            "resizes_taken_out": idle,
            "map": self._map_report(made.model, (rows, columns)),
        }
        return made

    def check(self, rewritten: Rewritten, trials: dict[str, Trial]) -> dict[str, Figures]:
        """See `Job.check`; also holds one call with all pictures to calls with one each."""
        old, new = open_engine(self.released), open_engine(rewritten.model)
        found = {}
        for name, trial in trials.items():
            together, each = ask_prepared(new, trial), ask_prepared(new, trial, together=False)
            figures = apart(ask_released(old, trial), thinned(together, self._thinning))
            figures["batch_max"] = _largest(apart(each, together))
            figures["all_max"] = _largest(figures)
            found[name] = figures
        require_same(f"model {self.source.card.name!r}", found, "all_max")
        return found

    def speed(self, rewritten: Rewritten, trial: Trial) -> Figures:
        """See `Job.speed`: of one picture, and of all."""
        old, new = open_engine(self.released), open_engine(rewritten.model)
        one = trial.of(0)
        found = milliseconds({
            "released_1": lambda: ask_released(old, one),
            "prepared_1": lambda: ask_prepared(new, one),
            "released_all": lambda: ask_released(old, trial),
            "prepared_all": lambda: ask_prepared(new, trial),
        })  # fmt: skip
        return found | {
            "pictures": len(trial.pictures),
            "heads": len(trial.boxes),
            "ratio_1": found["released_1"] / found["prepared_1"],
            "ratio_all": found["released_all"] / found["prepared_all"],
        }

    def apart(self, single: ModelProto, other: ModelProto, trials: dict[str, Trial]) -> dict[str, Figures]:
        """See `Job.apart`; picture by picture, for the sake of memory."""
        one, two = open_engine(single), open_engine(other)
        return {
            name: self._gap(ask_prepared(one, trial, together=False), ask_prepared(two, trial, together=False))
            for name, trial in trials.items()
        }

    def badness(self, figures: Figures) -> float:
        """See `Job.badness`."""
        return max(figures.get(key, 0.0) / limit for key, limit in ALLOWED.items())

    def inputs(self, trial: Trial) -> dict[str, Array]:
        """See `Job.inputs`."""
        return prepared_inputs(trial)

    def delicate(self, model: ModelProto) -> dict[str, Collection[str]]:
        """See `Job.delicate`: where heads lie is rounded to cells, for which half precision is too coarse."""
        graph = Graph(model)
        found = sides(graph, {PICTURES: Side.PICTURE, BOXES: Side.BOXES, PICTURE_ROW: Side.BOXES})
        return {"places of heads": [node.name for node in graph.nodes if found[node.output[0]] is Side.BOXES]}

    def coarse(self, model: ModelProto) -> Collection[str]:
        """See `Job.coarse`: the last convolution, whose steps would be seen in the map, and the in/out probability."""
        graph = Graph(model)
        made_by, names = graph.producers(), []
        for name in graph.outputs:
            while name in made_by and made_by[name].op_type not in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
                name = made_by[name].input[0]
            if name in made_by:
                names.append(made_by[name].name)
        return names

    def card_fields(self, model: ModelProto) -> dict[str, Any]:
        """See `Job.card_fields`."""
        graph = Graph(model)
        specs = self.source.card.contract.outputs
        outputs = {
            name: {"shape": list(graph.declared(name)[0]), "range": specs[name].range}
            for name in graph.outputs
            if name in specs
        }
        inputs = {
            PICTURES: {"dtype": "uint8", "shape": ["B", "H", "W", 3], "range": [0.0, 255.0]},
            BOXES: {"dtype": "float32", "shape": ["heads", 4], "range": [0.0, 1.0]},
            PICTURE_ROW: {"dtype": "int64", "shape": ["heads"]},
        }
        gaze = self.source.card.gaze.model_dump(exclude={"source_cells_wh"}, exclude_none=True, exclude_unset=True)
        shrink = self.source.card.picture.shrink
        return {
            "picture": {"shrink": shrink} if shrink != Picture().shrink else None,
            "contract": {"inputs": inputs, "outputs": outputs},
            "gaze": gaze or None,
        }

    def _gap(self, single: Answer, other: Answer) -> Figures:
        if not finite(other):
            return dict.fromkeys(("map_max", "map_mean", "peak_cells_max", "peak_cells_mean", "inout_max"), np.inf)
        return apart(single, other)

    def _cells(self, shapes: dict[str, tuple[int, ...]]) -> tuple[int, int]:
        rows, columns = shapes[MAP][-2:]
        if self._thinning is None:
            return rows, columns
        return self._thinning.source_wh[1], self._thinning.source_wh[0]

    def _map_report(self, model: ModelProto, cells: tuple[int, int]) -> dict[str, Any]:
        if self._thinning is None:
            return {"cells_wh": [cells[1], cells[0]], "thinned": "no"}
        source_wh = self._thinning.source_wh
        return {
            "cells_wh": list(source_wh),
            "thinned": f"was, to {list(self._thinning.out_wh)}; the whole map is put out now",
            "peak_error_released": peak_error(self.released, MAP, source_wh),
            "peak_error_prepared": peak_error(model, MAP, source_wh),
        }

    def _check_tensors(self, graph: Graph) -> None:
        name, card = self.source.card.name, self.source.card
        if graph.opset < OLDEST_OPSET:
            raise ModelError(
                f"model {name!r}: expected standard operators of version {OLDEST_OPSET} or newer, got {graph.opset}; "
                "convert the file (onnx.version_converter)"
            )
        if MAP not in graph.outputs or set(graph.inputs) != {PICTURES, BOXES}:
            raise ModelError(
                f"model {name!r}: expected inputs {PICTURES!r} and {BOXES!r} and an output {MAP!r}, got "
                f"{list(graph.inputs)} and {list(graph.outputs)}; give the file of the card, as released"
            )
        width, height = self.source.size_wh
        size = graph.declared(PICTURES)[0]
        if size[1:] != (3, height, width) or (size[0] != 1 and not self._takes_many):
            raise ModelError(
                f"model {name!r}: expected {PICTURES!r} of [1, 3, {height}, {width}], as input_size_wh of its card "
                f"says, got {list(size)}; correct {card.file!r} or the card"
            )


def _ask_for_rows(graph: Graph) -> None:
    """Have a file that takes many pictures take boxes [heads, 4], and be told the picture of each."""
    boxes = graph.fresh(f"{BOXES}_of_one")
    graph.redirect(BOXES, boxes)
    graph.add("Reshape", [BOXES, graph.ints((1, -1, 4), "of_one")], "boxes", output=boxes)
    graph.set_input(BOXES, ("heads", 4), TensorProto.FLOAT)
    graph.ask_for(PICTURE_ROW, ("heads",), TensorProto.INT64)


def _largest(figures: Figures) -> float:
    return max(figures[key] for key in ("map_max", "inout_max", "batch_max") if key in figures)
