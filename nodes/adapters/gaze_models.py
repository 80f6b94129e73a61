"""Gaze target models of the family of Gaze-LLE: heads of many frames in; of each a map and an in-frame probability out.

Files as they are released take one picture and its heads at a time; prepared ones, and those that ship, the pictures of
many frames and, for each head, which of them it is in. The sizes of pictures and maps are those of the file.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.adapters.gaze_calls import GazeCalls
from nodes.adapters.gaze_files import IN_FRAME, MAPS, GazeFile
from nodes.ops.heatmap import evened, in_frame_by_peak
from pipeline.card_fields import GazeOutputs, PeakInFrame
from pipeline.frames import FrameBatch
from pipeline.namespaces import namespace
from pipeline.node import Context
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]


def open_gaze_model(context: Context, card: str, where: str, heads_per_call: int | None = None) -> GazeModel:
    """Open a gaze model.

    Args:
        context: of the node that asks it.
        card: a card of the family `gazelle`, released or prepared, with or without an in/out output.
        where: the setting that names the card, for messages.
        heads_per_call: of files that take many pictures: frames go into one call as far as they have no more heads
            than this; None: as is best on the device.

    Raises:
        ConfigError: there is no such card, or it is wrong.
        ModelError: it is not of this family, or the file does not keep its contract.
    """
    session = context.open_session(card)
    file = GazeFile.of(session, card, where)
    return GazeModel(session, file, GazeCalls(session, context.device, file, heads_per_call))


class GazeModel:
    """An opened gaze model, as `open_gaze_model` makes them.

    Maps that the file thins by dropping rows and columns come out with even cells again. A file without an in/out
    output has the in-frame probability told by the height of the map's peak.

    Ref: Ryan et al., "Gaze-LLE", CVPR 2025; file format of Gaze-LLE-DINOv3 (MIT).
    """

    def __init__(self, session: Session, file: GazeFile, calls: GazeCalls) -> None:
        self._calls = calls
        self._outputs: GazeOutputs = session.card.gaze
        self.tells_in_frame = file.tells_in_frame
        """The file has an in/out output; without one the height of the map's peak has to do."""

    def look(self, frames: FrameBatch, frame_row: Array, boxes: Array) -> tuple[Any, Any]:
        """Return what heads look at: maps (N, h, w) and in-frame probabilities (N,), both float32, 0 to 1.

        Both stay on the device of the model.

        Only pictures with heads are made into inputs, and each once; no heads are no call.

        Args:
            frames: the B frames of a tick, with pictures.
            frame_row: (N,) int64, rising: the frame of each head.
            boxes: (N, 4) float32 head boxes, fractions of the frame, not NaN.

        Raises:
            ModelError: the model fails, or does not return a map for each head.
        """
        answers = [self._told(heads, answer) for heads, answer in self._calls.answers(frames, frame_row, boxes)]
        if not answers:
            return np.empty((0, 0, 0), np.float32), np.empty(0, np.float32)
        maps, in_frame = zip(*answers, strict=True)
        xp = namespace(maps[0])
        return xp.concat(maps), xp.concat(in_frame)

    def close(self) -> None:
        """Let go of the model; `look` must not be called afterwards."""
        self._calls.close()

    def _told(self, heads: int, answer: dict[str, Any]) -> tuple[Any, Any]:
        """Return the maps and in-frame probabilities of the heads of a call."""
        maps = self._evened(self._calls.told(answer, MAPS, heads, ", h, w"))
        if self.tells_in_frame:
            return maps, self._calls.told(answer, IN_FRAME, heads, "")
        by = self._outputs.peak_in_frame or PeakInFrame()
        return maps, in_frame_by_peak(maps, by.even_at, by.slope)

    def _evened(self, maps: Any) -> Any:
        source_wh = self._outputs.source_cells_wh
        if source_wh is None:
            return maps
        if source_wh[0] < maps.shape[2] or source_wh[1] < maps.shape[1]:
            raise self._calls.breach(
                f"{MAPS} with at most {list(source_wh)} columns and rows (source_cells_wh)", maps.shape
            )
        return evened(maps, source_wh)
