"""Read people that another program detected, from MOT text, in place of a detector."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from nodes.ops.mot_frames import Survey, frames_with_rows
from nodes.ops.mot_text import MotRows, iterate_rows, to_columns
from nodes.ops.seqinfo import MAX_FPS, MAX_SIDE_PX, SeqInfo, find_seqinfo, read_seqinfo
from nodes.types import Detections
from pipeline.errors import SourceError
from pipeline.node import Dropped, Frame, NodeConfig, Source, SourceItem
from pipeline.timeline import Timeline
from pipeline.urls import is_camera, is_url, redact

logger = logging.getLogger(__name__)

ROWS_AT_ONCE = 20_000
"""Rows looked through before an interrupt is noticed."""

Side = Annotated[int, Field(ge=1, le=MAX_SIDE_PX)]


class Config(NodeConfig):
    fps: float | None = Field(default=None, gt=0, le=MAX_FPS)
    """Frames a second. None: as `seqinfo.ini` says, beside the file or one folder above; must be given where there is
    none."""
    size_wh: tuple[Side, Side] | None = None
    """Width and height of the picture in pixels. None: as `seqinfo.ini` says; without one, what the boxes of the file
    reach on the right and below."""
    min_score: float | None = None
    """Boxes below this score, on the scale of the file, are left out. Raise for fewer false people. None: all count."""
    part: Literal["body", "head"] = "body"
    """What the boxes are of."""


class ReadDetections(Source[Config]):
    """Read boxes that any detector left as MOT text: `frame,id,left,top,width,height,score,...`, plain or `.gz`.

    Boxes are in pixels, frames count from 1. Every frame up to the last comes, also those without boxes: the last one
    of the file, or of `seqinfo.ini` where that is later. A frame's time is its number less one, divided by the rate.
    Boxes stay as they are where they hang out of the picture; those without width or height are left out, and their
    number is logged. Scores are cut off at 0 and 1. Ids and further values are not read. The edge can be read as
    Detections and as FrameBatch; frames have no pictures.

    All rows are checked before the first frame comes. A file sorted by frame is then read along, whatever its length;
    any other is held in memory, up to 5 million rows.

    State: the file, while `frames()` runs.
    Empty: a file without rows is an error, unless `seqinfo.ini` says how many frames there are.
    Ref: Milan et al., "MOT16", 2016, for the format.
    """

    gives_pictures: ClassVar[bool] = False

    @classmethod
    def files_beside(cls, url: str) -> list[Path]:
        found = find_seqinfo(Path(url))
        return [found] if found else []

    def frames(self) -> Iterator[SourceItem]:
        url = self.stream.config.url
        try:
            if is_url(url) or is_camera(url) or not Path(url).is_file():
                raise ValueError(f"{redact(url)}: expected a file of MOT text, got none; give one such as det/det.txt")
            yield from self._read(Path(url))
        except OSError as error:
            where = f"stream {self.stream.id!r}: {error.filename or url}"
            raise SourceError(f"{where}: cannot be read ({error.strerror or error}); check the file") from error
        except ValueError as error:
            raise SourceError(f"stream {self.stream.id!r}: {error}") from error

    def process(self) -> Detections:
        raise NotImplementedError("a source is read through frames()")

    def _read(self, path: Path) -> Iterator[SourceItem]:
        found = find_seqinfo(path)
        known = read_seqinfo(found) if found else SeqInfo()
        fps = self.config.fps or known.fps
        if fps is None:
            asked = f"expected frames a second, got neither a value nor a frameRate in {found or 'a seqinfo.ini'}"
            raise ValueError(f"{path}: {asked}; add for example --set {self.context.name}.fps=25")
        survey = Survey()
        for row in iterate_rows(path):
            survey.add(row)
            if survey.rows % ROWS_AT_ONCE == 0:
                yield None
        count = max(survey.last_frame, known.frames or 0)
        if not count:
            raise ValueError(f"{path}: expected rows, got none; detect people first, or add a seqinfo.ini")
        if survey.without_area:
            logger.warning(
                "stream=%s %s: boxes without width or height: %d; they are left out",
                self.stream.id, path, survey.without_area,
            )  # fmt: skip
        size_wh = self.config.size_wh or known.size_wh or survey.size_wh()
        self.duration_ns = round(count / fps * 1e9)
        timeline = Timeline(round(1e9 / fps), self.stream.config.max_fps)
        for frame, rows in _every_frame(path, survey, count):
            pts_ns, verdict = timeline.admit(round((frame - 1) / fps * 1e9))
            if verdict == "rate_limit":
                yield Dropped(verdict)
            else:
                yield Frame(None, pts_ns, size_wh, self._detections(rows, size_wh), frame - 1)

    def _detections(self, rows: MotRows, size_wh: tuple[int, int]) -> Detections:
        """Return the boxes of one frame as people, the best first."""
        least = -math.inf if self.config.min_score is None else self.config.min_score
        rows = rows.take(np.asarray((rows.box_px[:, 2:] > 0).all(axis=1) & (rows.score >= least)))
        rows = rows.take(np.argsort(-rows.score, kind="stable"))
        corners = np.concatenate([rows.box_px[:, :2], rows.box_px[:, :2] + rows.box_px[:, 2:]], axis=1)
        seen = (corners / np.tile(size_wh, 2)).astype(np.float32), np.clip(rows.score, 0, 1).astype(np.float32)
        unseen = np.full((len(rows), 4), np.nan, np.float32), np.zeros(len(rows), np.float32)
        head, body = (seen, unseen) if self.config.part == "head" else (unseen, seen)
        return Detections(
            frame_row=np.zeros(len(rows), np.int64),
            head_box=head[0],
            head_score=head[1],
            body_box=body[0],
            body_score=body[1],
            direction_scores=np.zeros((len(rows), 8), np.float32),
            appearance=np.empty((len(rows), 0), np.float32),
        )


def _every_frame(path: Path, survey: Survey, count: int) -> Iterator[tuple[int, MotRows]]:
    """Yield number and rows of each frame from 1 to `count`."""
    nothing = to_columns([])
    filled = frames_with_rows(path, survey)
    ahead = next(filled, None)
    for frame in range(1, count + 1):
        if ahead is not None and ahead[0] == frame:
            yield ahead
            ahead = next(filled, None)
        else:
            yield frame, nothing
