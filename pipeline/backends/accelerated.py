"""A model in ONNX Runtime, and an engine in its place from when that is there and has shown that it says the same."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.backends.agreement import difference
from pipeline.backends.backend import Backend, Model, Runner, one_line
from pipeline.backends.engine_cache import CancelledError
from pipeline.backends.profiles import Profile
from pipeline.device import Device
from pipeline.errors import ModelError

logger = logging.getLogger(__name__)

PROOFS = 3
"""Runs on real inputs, beside one on made-up ones, in which an engine is held against ONNX Runtime: models that fail in
half precision do so on pictures with something in them."""


@dataclass(frozen=True)
class Plan:
    """How a model gets its engine."""

    profile: Profile
    """The shapes that it takes."""
    make: Callable[[threading.Event], Runner]
    """Returns it, after seconds or minutes; ends early with `CancelledError` when the event is set."""
    tolerance: float
    """Largest difference, as `agreement.difference` has it."""
    wait: bool
    """True: nothing runs before the engine is there, so that results do not depend on how long that takes."""


class Accelerated:
    """Runs a model by its engine where it can, and in ONNX Runtime else. May be shared by threads.

    An engine that cannot be made, or says something else than ONNX Runtime, is done without; why is logged. Inputs
    whose shapes it does not take go to ONNX Runtime; that is counted, and said once.

    Args:
        reference: the model in ONNX Runtime; closed with this.
        model: what it is.
        plan: how it gets its engine.
        device: where it runs.

    Raises:
        ModelError: the engine is waited for, and ONNX Runtime cannot load its provider.
    """

    def __init__(self, reference: Backend, model: Model, plan: Plan, device: Device) -> None:
        self._reference, self._model, self._plan, self._device = reference, model, plan, device
        self.inputs, self.spare, self.outputs = reference.inputs, reference.spare, reference.outputs
        self.outside = 0
        """Runs with inputs whose shapes the engine does not take."""
        self._made: Runner | None = None
        self._candidate: Runner | None = None
        """An engine that is still held against ONNX Runtime."""
        self._trusted: Runner | None = None
        self._proofs_left = PROOFS
        self._decided, self._cancelled = threading.Event(), threading.Event()
        self._taken_up = False
        self._lock = threading.RLock()
        if plan.wait:
            self._make()
            self._change_over()
        else:
            threading.Thread(target=self._make, name=f"engine of {model.name}", daemon=True).start()

    def run(self, inputs: Mapping[str, Any], outputs: Sequence[str]) -> dict[str, Any]:
        """See `Runner.run`."""
        if not self._taken_up and self._decided.is_set():
            self._change_over()
        if self._trusted is None and self._candidate is None:
            return self._reference.run(inputs, outputs)
        shapes = {name: tuple(array.shape) for name, array in inputs.items()}
        if not self._plan.profile.holds(shapes):
            self._count_outside(shapes)
            return self._reference.run(inputs, outputs)
        if self._trusted is None:
            with self._lock:
                if self._candidate is not None:
                    return self._proved(self._candidate, inputs, outputs, "on a frame")
        return (self._trusted or self._reference).run(inputs, outputs)

    def close(self) -> None:
        """See `Runner.close`."""
        self._cancelled.set()
        with self._lock:
            for runner in (self._made, self._candidate, self._trusted, self._reference):
                if runner is not None:
                    runner.close()
            self._made = self._candidate = self._trusted = None
        if self.outside:
            logger.warning(
                "model %s: %d runs had shapes that its engine does not take and went to ONNX Runtime",
                self._model.name,
                self.outside,
            )

    @property
    def by_engine(self) -> bool:
        """Tell whether an engine runs it where it can."""
        return self._trusted is not None or self._candidate is not None

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until an engine is there or cannot be had; return False when that takes longer."""
        return self._decided.wait(timeout_s)

    def _make(self) -> None:
        """Make the engine; on a thread of its own unless the run waits for it."""
        name = self._model.name
        try:
            made = self._plan.make(self._cancelled)
            with self._lock:
                if self._cancelled.is_set():
                    made.close()
                else:
                    self._made = made
        except CancelledError:
            logger.info("model %s: its engine is no longer waited for", name)
        except ModelError as error:  # of ONNX Runtime: a provider that cannot be loaded is not done without
            if self._plan.wait:
                raise
            logger.error("%s", error)
        except Exception as error:  # whatever TensorRT and its packages raise: the model runs without
            logger.warning("model %s: no engine, it runs in ONNX Runtime: %s", name, one_line(error))
        finally:
            self._decided.set()

    def _change_over(self) -> None:
        """Take up the engine between two runs, if it says what ONNX Runtime says."""
        with self._lock:
            if self._taken_up:
                return
            engine, trial = self._made, self._model.trial
            if engine is not None:
                self._made, self._candidate = None, engine
                shapes = {name: tuple(array.shape) for name, array in (trial or {}).items()}
                if trial and self._plan.profile.holds(shapes):
                    self._proved(engine, trial, self._model.outputs, "in a trial run", is_frame=False)
                if self._candidate is not None:
                    logger.info("model %s: its engine takes over", self._model.name)
            self._taken_up = True

    def _proved(
        self, engine: Runner, inputs: Mapping[str, Any], outputs: Sequence[str], when: str, is_frame: bool = True
    ) -> dict[str, Any]:
        """Run both, and return what the engine says, or ONNX Runtime where the engine says something else."""
        told, wanted = engine.run(inputs, outputs), self._reference.run(inputs, outputs)
        to_host = self._device.to_host
        far, output = difference(
            {name: to_host(array) for name, array in told.items()},
            {name: to_host(array) for name, array in wanted.items()},
        )
        if far > self._plan.tolerance:
            logger.warning(
                "model %s: its engine is refused: output %r differs from that of ONNX Runtime by %.3g of what it "
                "reaches %s, expected %.3g at most; the model runs in ONNX Runtime",
                self._model.name,
                output,
                far,
                when,
                self._plan.tolerance,
            )
            self._candidate = None
            engine.close()
            return wanted
        self._proofs_left -= is_frame
        if not self._proofs_left:
            self._trusted, self._candidate = engine, None
        return told

    def _count_outside(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        with self._lock:
            self.outside += 1
            first = self.outside == 1
        if first:
            logger.warning(
                "model %s: its engine takes %s, got %s: such runs go to ONNX Runtime; name other extents in "
                "engine.extents to have them in the engine",
                self._model.name,
                self._plan.profile,
                {name: list(shape) for name, shape in shapes.items()},
            )
