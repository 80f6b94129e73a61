"""Write pictures and what was found in them as a data set for training detectors: YOLO text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from nodes.ops.assignment import assign
from nodes.ops.association import fit_in_body
from nodes.ops.pixelate import pixelate_ellipses, top_of_body
from nodes.ops.wholebody import BODY, FACE, HEAD, JOINTS
from nodes.ops.yolo_rows import data_yaml, rows_text, with_attributes
from nodes.types import Parts
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig
from pipeline.outputs import make_folder, write_atomically

Array = np.ndarray[Any, np.dtype[Any]]

SURE = 0.5
"""Score from which a head is taken to be that of a body: a doubtful one may be something beside it."""
NUMBERED = re.compile(r"(\d{8})\.(png|jpg|txt)")


class Config(NodeConfig):
    folder: str = Field(default="yolo", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """Name of the data set's folder in the folder of its stream."""
    every_s: float = Field(default=1.0, ge=0)
    """Seconds from one picture to the next; 0 writes every frame. Raise for pictures that differ more."""
    format: Literal["png", "jpg"] = "jpg"
    """Of the pictures: `png` keeps every pixel and takes ten times the room."""
    quality: int = Field(default=95, ge=1, le=100)
    """Of `jpg`. Raise for fewer traces of compression, lower for smaller files."""
    min_score: float = Field(default=0.35, ge=0, le=1)
    """Things with a lower score are not written. Raise for cleaner labels, lower for fuller ones."""
    joint_min_score: float = Field(default=0.3, ge=0, le=1)
    """The same for joints."""
    attribute_min_score: float = Field(default=0.7, ge=0, le=1)
    """The same for what is said of things: adult, male, front, left hand."""
    blur_heads: bool = True
    """Make heads that were found unrecognisable, and tops of bodies without. Heads that the detector misses with their
    bodies stay as they are: lower its thresholds, and look at the pictures before they are given away. What is trained
    on them learns nothing of faces; turn it off only where all who are seen agree."""
    blur_scale: float = Field(default=1.5, ge=1)
    """Size of what is hidden, in boxes; 1.42 covers the corners of the box."""


class WriteYoloLabels(Node[Config]):
    """Write `images/<frame>.jpg` and `labels/<frame>.txt` with a row `class cx cy w h` for each thing, and `data.yaml`.

    Classes are numbered as in DEIMv2-Wholebody34, coordinates are fractions of the picture with six decimals. What is
    said of a thing (adult, male, front, …) is a row of its own with the box of the thing, as such detectors put it out,
    so that a data set trains the same classes; of what rules each other out the best is written. A frame in which
    nothing was found has an empty file: a picture of nothing teaches, too. The text is written before its picture, so
    that no picture is ever without its labels; each file is whole or not there.

    Numbers are `frame_index`. A file that is run again replaces its data set; a live stream adds to its own.

    State: per stream, when the next picture is due.
    Empty: a stream without frames makes no folder.
    """

    begins_stage: ClassVar[bool] = True
    reads_pictures: ClassVar[bool] = True
    sink_policy: ClassVar[Literal["keep", "drop"]] = "drop"

    def open(self) -> None:
        self._sets: dict[str, _Set] = {}

    def process(self, frames: FrameBatch, parts: Parts) -> None:
        for row, stream_id in enumerate(frames.stream_id):
            if stream_id not in self._sets:
                folder = self.context.output_path(stream_id, self.config.folder)
                self._sets[stream_id] = _Set.begun(folder, frames.stream(row).live)
            mine, pts_ns = self._sets[stream_id], int(frames.pts_ns[row])
            index, generation = int(frames.frame_index[row]), int(frames.generation[row])
            if mine.is_due(index, generation, pts_ns):
                self._write(mine, index, frames.bgr(row), parts.take(parts.frame_row == row))
                mine.note(index, generation, pts_ns, self.config.every_s)

    def stream_ended(self, stream_id: str) -> None:
        self._sets.pop(stream_id, None)

    def _write(self, mine: _Set, index: int, image: Array, seen: Parts) -> None:
        config, name = self.config, f"{mine.shift + index:08d}"
        least = np.where(np.isin(seen.label, JOINTS), config.joint_min_score, config.min_score)
        sure = seen.take(seen.score >= least)
        rows = with_attributes(sure.label, sure.box, sure.attribute_scores, config.attribute_min_score)
        write_atomically(mine.folder / "labels" / f"{name}.txt", rows_text(*rows))
        if config.blur_heads:
            image = image.copy()
            pixelate_ellipses(image, _hidden(seen), config.blur_scale)
        write_atomically(mine.folder / "images" / f"{name}.{config.format}", self._encoded(image))

    def _encoded(self, image: Array) -> bytes:
        import cv2

        options = [cv2.IMWRITE_JPEG_QUALITY, self.config.quality] if self.config.format == "jpg" else []
        done, content = cv2.imencode(f".{self.config.format}", image, options)
        if not done:
            raise ValueError(f"WriteYoloLabels: expected a picture that can be encoded, got shape {image.shape!r}")
        return content.tobytes()


@dataclass
class _Set:
    """The data set of one stream."""

    folder: Path
    shift: int
    """Added to frame numbers: those of earlier runs of a live stream lie below."""
    last_index: int = -1
    generation: int | None = None
    due_ns: int = 0

    @classmethod
    def begun(cls, folder: Path, live: bool) -> _Set:
        """Return a data set with its folders made: without what an earlier run of a file left there."""
        numbers = [-1]
        for kind in ("images", "labels"):
            for path in make_folder(folder / kind).iterdir():
                if match := NUMBERED.fullmatch(path.name):
                    if live:
                        numbers.append(int(match[1]))
                    else:
                        path.unlink()
        write_atomically(folder / "data.yaml", data_yaml())
        return cls(folder, max(numbers) + 1)

    def is_due(self, index: int, generation: int, pts_ns: int) -> bool:
        """Tell whether a frame is to be written: not one that was before, in a tick that is run again."""
        return index > self.last_index and (generation != self.generation or pts_ns >= self.due_ns)

    def note(self, index: int, generation: int, pts_ns: int, every_s: float) -> None:
        """Note that a frame was written; the next is due on the beat that the first one of its generation set."""
        every_ns = round(every_s * 1e9)
        begun = self.due_ns if generation == self.generation else pts_ns
        missed = (pts_ns - begun) // every_ns if every_ns else 0
        self.due_ns = begun + (missed + 1) * every_ns
        self.last_index, self.generation = index, generation


def _hidden(seen: Parts) -> Array:
    """Return what is to be hidden (N, 4): heads, faces, and tops of bodies whose own head is not surely found."""
    heads, faces, bodies = (seen.box[seen.label == label] for label in (HEAD, FACE, BODY))
    sure = seen.box[(seen.label == HEAD) & (seen.score >= SURE)]
    _, held = assign(fit_in_body(sure, bodies))
    tops = [top_of_body(body) for body in np.delete(bodies, held, axis=0)]
    return np.concatenate([heads, faces, np.array(tops, np.float32).reshape(-1, 4)])
