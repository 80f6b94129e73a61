"""Calls of files of the family of Gaze-LLE: heads of many frames in, as few calls as the file and the device allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nodes.adapters.gaze_files import BOXES, PICTURE_ROW, PICTURES, GazeFile
from nodes.ops.boxes import held_by_cells
from pipeline.device import Device
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]

USUAL_CELL_PX = 16
"""Side of the cells on which models of this family mark the head, in pixels of their input; cards may say otherwise."""
HEADS_PER_CALL = {"cpu": 1, "cuda": 32}
"""By kind of device, heads in one call of a file that takes many pictures; a frame with more is a call of its own. On a
CPU more cost the same or more (at 640 px 4 cost what they cost one by one, 11 a third more), and frames that are never
in one call are rounded in one way, whatever frames come with them. On a GPU memory is the limit (up to 0.2 GB a head at
640 px)."""


class GazeCalls:
    """Asks an opened file about heads.

    Models of this family mark a head on a grid of cells of their input and round its edges to it, halves to even. A
    head so small that it would round to nothing, and so be ignored, is widened to at least one cell about its centre.
    Where the card says that a model does not round, boxes go in as they are.
    """

    def __init__(self, session: Session, device: Device, file: GazeFile, heads_per_call: int | None = None) -> None:
        """Take an opened file.

        Args:
            session: with the file and its card.
            device: where it runs.
            file: what it takes.
            heads_per_call: of files that take many pictures: frames go into one call as far as they have no more heads
                than this; None: as is best on the device.
        """
        self._session, self._device, self._file = session, device, file
        self._most = heads_per_call or HEADS_PER_CALL[device.kind]
        cell_px = USUAL_CELL_PX if session.card.box_cell_px is None else session.card.box_cell_px
        self._cells_wh = (file.size_wh[0] // cell_px, file.size_wh[1] // cell_px) if cell_px else None

    def answers(self, frames: FrameBatch, frame_row: Array, boxes: Array) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield, call by call, how many heads it was about and the outputs, on the device.

        Only pictures with heads are made into inputs, and each once; no heads are no call.

        Args:
            frames: the B frames of a tick, with pictures.
            frame_row: (N,) int64, rising: the frame of each head.
            boxes: (N, 4) float32 head boxes, fractions of the frame, not NaN.

        Raises:
            ModelError: the model fails.
        """
        if self._cells_wh:
            boxes = held_by_cells(boxes, self._cells_wh)
        how = self._session.card.picture
        for heads in self._together(frame_row):
            rows, picture_row = np.unique(frame_row[heads], return_inverse=True)
            pictures = self._device.model_input(
                frames.take(rows),
                self._file.size_wh,
                how.colour,
                self._file.layout,
                self._file.dtype,
                shrink=how.shrink,
                mean=how.mean,
                std=how.std,
            )
            step = 1 if self._file.one_head else len(picture_row)
            for first in range(0, len(picture_row), step):
                some = slice(first, first + step)
                yield step, self._ask(pictures, boxes[heads][some], picture_row[some])

    def told(self, answer: dict[str, Any], output: str, heads: int, more: str) -> Any:
        """Return an output, float32, a row for each head, where it is.

        Args:
            answer: of a call.
            output: its name.
            heads: how many it was about.
            more: names of the axes behind the first, each after a comma.

        Raises:
            ModelError: it is not a row for each head, or has other axes.
        """
        told, xp = answer[output], self._device.xp
        if len(told.shape) != 1 + more.count(",") or told.shape[0] != heads:
            raise self.breach(f"{output} [{heads}{more}] for {heads} heads", told.shape)
        return xp.astype(told, xp.float32, copy=False)

    def breach(self, expected: str, shape: tuple[int, ...]) -> ModelError:
        """Return what is to be raised where an output is not what was expected."""
        name = self._session.card.name
        return ModelError(
            f"model {name!r}: expected {expected}, got {list(shape)}; correct the card, or give it a file that fits it"
        )

    def close(self) -> None:
        """Let go of the model."""
        self._session.close()

    def _together(self, frame_row: Array) -> Iterator[slice]:
        """Yield the heads (N,) of the frames that go into one call, frames as a whole."""
        ends = [*(np.flatnonzero(np.diff(frame_row)) + 1).tolist(), len(frame_row)]
        first, last = 0, 0
        for end in ends:
            if last > first and (not self._file.many or end - first > self._most):
                yield slice(first, last)
                first = last
            last = end
        if last > first:
            yield slice(first, last)

    def _ask(self, pictures: Any, boxes: Array, picture_row: Array) -> dict[str, Any]:
        """Run the model once on heads (N, 4) of pictures on the device."""
        asarray = self._device.xp.asarray
        given = {PICTURES: pictures, BOXES: asarray(boxes if self._file.flat_boxes else boxes[None])}
        if self._file.many:
            given[PICTURE_ROW] = asarray(picture_row.astype(np.int64))
        return self._session.run(given)
