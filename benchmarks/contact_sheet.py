"""One picture with annotated frames of every clip, to be looked at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np

from pipeline.errors import PipelineError
from pipeline.frames import FrameBatch
from pipeline.graph import Graph, NodeSpec
from pipeline.node import Node, NodeConfig
from pipeline.ports import config_of

Array = np.ndarray[Any, np.dtype[Any]]

TILE_WIDTH = 640
WHITE = (255, 255, 255)


class KeepPictures(Node[NodeConfig]):
    """Keep small copies of some pictures of a run. Subclassed for each run, because the engine makes its nodes itself.

    State: the pictures, in the class. Empty: nothing is kept.
    """

    reads_pictures: ClassVar[bool] = True
    wanted: ClassVar[Collection[int]] = ()
    kept: ClassVar[dict[int, Array]] = {}

    def process(self, frames: FrameBatch) -> None:
        """Keep the frames whose number in the stream is wanted."""
        for row, number in enumerate(frames.frame_index.tolist()):
            if number in self.wanted:
                width, height = frames.size_wh[row].tolist()
                size = (TILE_WIDTH, round(TILE_WIDTH * height / width))
                self.kept[number] = cv2.resize(frames.bgr(row), size, interpolation=cv2.INTER_AREA)


def keeping(graph: Graph, edge: str, wanted: Collection[int]) -> tuple[Graph, dict[int, Array]]:
    """Return the graph with a sink that keeps some pictures of an edge, and where they will be, by frame number."""
    kept: dict[int, Array] = {}
    cls: Any = type("KeepPicturesOfOneRun", (KeepPictures,), {"wanted": frozenset(wanted), "kept": kept})
    spec = NodeSpec("sheet", "keep_pictures", cls, config_of(KeepPictures)(), {"frames": edge}, "same", __file__)
    return replace(graph, nodes=(*graph.nodes, spec)), kept


@dataclass
class ContactSheet:
    """Rows of pictures, one row a clip."""

    across: int = 5
    rows: list[Array] = field(default_factory=list)

    def add(self, pictures: Sequence[tuple[Array, Array]]) -> None:
        """Add a clip.

        Args:
            pictures: annotated frames (h, 640, 3) u8 BGR of one size, each with true head boxes (N, 4), fractions,
                which are drawn in white.
        """
        tiles = []
        for picture, heads in pictures[: self.across]:
            tile = picture.copy()
            scale = np.array([tile.shape[1], tile.shape[0]] * 2)
            for x1, y1, x2, y2 in np.rint(heads * scale).astype(int).tolist():
                cv2.rectangle(tile, (x1, y1), (x2, y2), WHITE, 1)
            tiles.append(tile)
        tiles += [np.zeros_like(tiles[0])] * (self.across - len(tiles))
        self.rows.append(np.hstack(tiles))

    def write(self, path: Path) -> None:
        """Write the sheet as PNG.

        Raises:
            PipelineError: it cannot be written.
        """
        if not cv2.imwrite(str(path), np.vstack(self.rows)):
            raise PipelineError(f"{path}: expected to write a picture, got a failure; check folder and disk")
