"""Gaze target models of the family of Gaze-LLE: heads of many frames in; of each a map and an in-frame probability out.

Files as they are released take one picture and its heads at a time, prepared ones the pictures of many frames and, for
each head, which of them it is in. The sizes of pictures and maps are those of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nodes.adapters.gaze_files import BOXES, IN_FRAME, MAPS, PICTURE_ROW, PICTURES, GazeFile
from nodes.ops.boxes import held_by_cells
from nodes.ops.heatmap import evened, in_frame_by_peak
from pipeline.card_fields import GazeOutputs, PeakInFrame
from pipeline.device import Device
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch
from pipeline.node import Context
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]

USUAL_CELL_PX = 16
"""Side of the cells on which models of this family mark the head, in pixels of their input; cards may say otherwise."""
HEADS_PER_CALL = {"cpu": 4, "cuda": 32}
"""By kind of device, heads in one call of a prepared file. More outgrow the caches of a CPU (at 640 px 4 cost there
what they cost one by one, 11 a third more) and the memory of a GPU (up to 0.2 GB a head at 640 px)."""


def open_gaze_model(context: Context, card: str, where: str, heads_per_call: int | None = None) -> GazeModel:
    """Open a gaze model.

    Args:
        context: of the node that asks it.
        card: a card of the family `gazelle`, released or prepared, with or without an in/out output.
        where: the setting that names the card, for messages.
        heads_per_call: prepared files only: frames go into one call as far as they have no more heads than this; None:
            as is best on the device.

    Raises:
        ConfigError: there is no such card, or it is wrong.
        ModelError: it is not of this family, or the file does not keep its contract.
    """
    session = context.open_session(card)
    most = heads_per_call or HEADS_PER_CALL[context.device.kind]
    return GazeModel(session, context.device, GazeFile.of(session, card, where), most)


class GazeModel:
    """An opened gaze model, as `open_gaze_model` makes them.

    Models of this family mark a head on a grid of cells of their input and round its edges to it, halves to even. A
    head so small that it would round to nothing, and so be ignored, is widened to at least one cell about its centre.
    Where the card says that a model does not round, boxes go in as they are.

    Maps that the file thins by dropping rows and columns come out with even cells again. A file without an in/out
    output has the in-frame probability told by the height of the map's peak.

    Ref: Ryan et al., "Gaze-LLE", CVPR 2025; file format of Gaze-LLE-DINOv3 (MIT).
    """

    def __init__(self, session: Session, device: Device, file: GazeFile, heads_per_call: int) -> None:
        card = session.card
        self._session, self._device, self._file, self._most = session, device, file, heads_per_call
        self._outputs: GazeOutputs = card.gaze
        self.tells_in_frame = file.tells_in_frame
        """The file has an in/out output; without one the height of the map's peak has to do."""
        cell_px = USUAL_CELL_PX if card.box_cell_px is None else card.box_cell_px
        self._cells_wh = (file.size_wh[0] // cell_px, file.size_wh[1] // cell_px) if cell_px else None

    def look(self, frames: FrameBatch, frame_row: Array, boxes: Array) -> tuple[Array, Array]:
        """Return what heads look at: maps (N, h, w) and in-frame probabilities (N,), both float32 on the host, 0 to 1.

        Only pictures with heads are made into inputs, and each once; no heads are no call.

        Args:
            frames: the B frames of a tick, with pictures.
            frame_row: (N,) int64, rising: the frame of each head.
            boxes: (N, 4) float32 head boxes, fractions of the frame, not NaN.

        Raises:
            ModelError: the model fails, or does not return a map for each head.
        """
        answers = []
        if self._cells_wh:
            boxes = held_by_cells(boxes, self._cells_wh)
        for heads in self._together(frame_row):
            rows, picture_row = np.unique(frame_row[heads], return_inverse=True)
            pictures = self._device.model_input(
                frames.take(rows), self._file.size_wh, layout=self._file.layout, dtype=self._file.dtype
            )
            step = 1 if self._file.one_head else len(picture_row)
            for first in range(0, len(picture_row), step):
                some = slice(first, first + step)
                answers.append(self._ask(pictures, boxes[heads][some], picture_row[some]))
        if not answers:
            return np.empty((0, 0, 0), np.float32), np.empty(0, np.float32)
        maps, in_frame = zip(*answers, strict=True)
        return np.concatenate(maps), np.concatenate(in_frame)

    def close(self) -> None:
        """Let go of the model; `look` must not be called afterwards."""
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

    def _ask(self, pictures: Any, boxes: Array, picture_row: Array) -> tuple[Array, Array]:
        """Run the model once on heads (N, 4) of pictures on the device."""
        asarray = self._device.xp.asarray
        given = {PICTURES: pictures, BOXES: asarray(boxes if self._file.many else boxes[None])}
        if self._file.many:
            given[PICTURE_ROW] = asarray(picture_row.astype(np.int64))
        answer = self._session.run(given)
        maps = self._evened(self._told(answer, MAPS, len(boxes), ", h, w"))
        if self.tells_in_frame:
            return maps, self._told(answer, IN_FRAME, len(boxes), "")
        by = self._outputs.peak_in_frame or PeakInFrame()
        return maps, in_frame_by_peak(maps, by.even_at, by.slope)

    def _told(self, answer: dict[str, Any], output: str, heads: int, more: str) -> Array:
        """Return an output on the host, a row for each head."""
        told = np.asarray(self._device.to_host(answer[output]), np.float32)
        if told.ndim != 1 + more.count(",") or len(told) != heads:
            raise self._breach(f"{output} [{heads}{more}] for {heads} heads", told.shape)
        return told

    def _evened(self, maps: Array) -> Array:
        source_wh = self._outputs.source_cells_wh
        if source_wh is None:
            return maps
        if source_wh[0] < maps.shape[2] or source_wh[1] < maps.shape[1]:
            raise self._breach(f"{MAPS} with at most {list(source_wh)} columns and rows (source_cells_wh)", maps.shape)
        return evened(maps, source_wh)

    def _breach(self, expected: str, shape: tuple[int, ...]) -> ModelError:
        name = self._session.card.name
        return ModelError(
            f"model {name!r}: expected {expected}, got {list(shape)}; correct the card, or give it a file that fits it"
        )
