"""Prepare a detector of whole pictures: bytes in, at the model's own size; its outputs stay as they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from onnx import ModelProto

from nodes.surgery.branches import take_branches
from nodes.surgery.detector_trial import Decode, Outputs, ask, found_apart, largest_gap, released_inputs
from nodes.surgery.graph import Array, Graph
from nodes.surgery.job import Figures, Job, Rewritten, Source, milliseconds, require_same
from nodes.surgery.picture_input import drop_idle_resizes, take_bytes
from nodes.surgery.probing import Shapes, dull_inputs, open_engine, shapes_of
from nodes.surgery.trials import Trial
from pipeline.errors import ModelError

ALLOWED_SCORE, ALLOWED_OVERLAP, ALLOWED_LOST = 0.05, 0.1, 0.02
"""How far scores, and overlap of boxes from 1, may lie from single precision; the share of things that may be lost."""


class DetectorJob(Job):
    """Prepares one detector.

    Args:
        source: what is prepared.
        released: the model as released.
        decode: reads its outputs.
    """

    def __init__(self, source: Source, released: ModelProto, decode: Decode) -> None:
        super().__init__(source, released)
        self._decode = decode
        self._name, self._batch = self._taken(Graph(released))

    def rewrite(self) -> Rewritten:
        """See `Job.rewrite`."""
        width, height = self.source.size_wh
        counts = (1, 2) if isinstance(self._batch, str) else (self._batch,)
        trials: list[Shapes] = [{self._name: (count, 3, height, width)} for count in counts]
        dull = [dull_inputs(Graph(self.released), shapes) for shapes in trials]
        graph = Graph(take_branches(self.released, dull))
        idle = drop_idle_resizes(graph, [shapes_of(graph, given) for given in dull])
        take_bytes(graph, self._name, self._batch, (width, height), self.source.card.picture)
        steps = {"pictures": f"uint8 [{self._batch}, {height}, {width}, 3] BGR", "resizes_taken_out": idle}
        return Rewritten(graph.model(), steps)

    def check(self, rewritten: Rewritten, trials: dict[str, Trial]) -> dict[str, Figures]:
        """See `Job.check`."""
        old, new = open_engine(self.released), open_engine(rewritten.model)
        found = {
            name: {"max": largest_gap(ask(old, self._released, trial), ask(new, self._prepared, trial))}
            for name, trial in trials.items()
        }
        require_same(f"model {self.source.card.name!r}", found, "max")
        return found

    def speed(self, rewritten: Rewritten, trial: Trial) -> Figures:
        """See `Job.speed`: of one picture; making the released file's input of it is not counted."""
        old, new = open_engine(self.released), open_engine(rewritten.model)
        one = trial.of(0)
        given = self._released(one.pictures)
        found = milliseconds({
            "released_1": lambda: ask(old, lambda _: given, one),
            "prepared_1": lambda: ask(new, self._prepared, one),
        })  # fmt: skip
        return found | {"ratio_1": found["released_1"] / found["prepared_1"]}

    def apart(self, single: ModelProto, other: ModelProto, trials: dict[str, Trial]) -> dict[str, Figures]:
        """See `Job.apart`."""
        one, two = open_engine(single), open_engine(other)
        return {
            name: found_apart(ask(one, self._prepared, trial), ask(two, self._prepared, trial), self._decode)
            for name, trial in trials.items()
        }

    def badness(self, figures: Figures) -> float:
        """See `Job.badness`."""
        overlap = (1 - figures["iou_min"]) / ALLOWED_OVERLAP
        return max(figures["score_max"] / ALLOWED_SCORE, overlap, figures["lost"] / ALLOWED_LOST)

    def inputs(self, trial: Trial) -> dict[str, Array]:
        """See `Job.inputs`."""
        count = len(trial.pictures) if isinstance(self._batch, str) else self._batch
        return self._prepared(trial.pictures[:count])

    def delicate(self, model: ModelProto) -> dict[str, Collection[str]]:
        """See `Job.delicate`: none are known beforehand."""
        return {}

    def coarse(self, model: ModelProto) -> Collection[str]:
        """See `Job.coarse`: the last sums in front of each output, which are places and scores."""
        graph = Graph(model)
        made_by, names = graph.producers(), set()
        stack, seen = list(graph.outputs), set()
        while stack:
            node = made_by.get(stack.pop())
            if node is None or node.name in seen:
                continue
            seen.add(node.name)
            if node.op_type in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
                names.add(node.name)
            else:
                stack += node.input
        return names

    def card_fields(self, model: ModelProto) -> dict[str, Any]:
        """See `Job.card_fields`."""
        card = self.source.card
        contract = card.contract.model_dump(exclude_unset=True)
        (spec,) = contract["inputs"].values()
        spec |= {"dtype": "uint8", "shape": [self._batch, "H", "W", 3], "range": [0.0, 255.0]}
        picture = card.picture.model_dump(exclude={"colour", "mean", "std"}, exclude_unset=True)
        return {"contract": contract, "picture": picture or None}

    def _released(self, pictures: Array) -> Outputs:
        return released_inputs(self._name, pictures, self.source.card.picture)

    def _prepared(self, pictures: Array) -> Outputs:
        return {self._name: pictures}

    def _taken(self, graph: Graph) -> tuple[str, int | str]:
        """Return the name of the input, and how many pictures it takes."""
        name = self.source.card.name
        if len(graph.inputs) != 1:
            raise ModelError(f"model {name!r}: expected one input, got {list(graph.inputs)}; give the file as released")
        (found,) = graph.inputs
        shape, _ = graph.declared(found)
        width, height = self.source.size_wh
        free = [k for k, n in enumerate(shape) if not isinstance(n, int)]
        sizes = all(k in free or shape[k] == n for k, n in ((1, 3), (2, height), (3, width)))
        if len(shape) != 4 or not sizes:
            raise ModelError(
                f"model {name!r}: expected an input [N, 3, {height}, {width}], got {list(shape)}; "
                "correct input_size_wh of the card, or give the file as released"
            )
        count = shape[0]
        return found, count if isinstance(count, int) else "N"
