"""Pictures of a run are kept and laid out."""

from pathlib import Path

import cv2
import numpy as np

from benchmarks.contact_sheet import TILE_WIDTH, ContactSheet, keeping
from benchmarks.graph_runs import record, shipped_graph
from pipeline.frames import Stream
from pipeline.streams import StreamConfig
from tests.clips import left_side, write_clip


def test_wanted_frames_are_kept_small(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", 6, size_wh=(64, 48))
    graph, settings = shipped_graph(["frames"])
    graph, kept = keeping(graph, "frames", [1, 4])

    record(graph, settings, Stream("clip", StreamConfig(url=str(clip))), [], tmp_path)

    assert sorted(kept) == [1, 4]
    assert kept[1].shape == (TILE_WIDTH * 48 // 64, TILE_WIDTH, 3)
    assert left_side(kept[4]) - left_side(kept[1]) == 6 * TILE_WIDTH // 64


def test_a_row_a_clip_with_true_heads_in_white(tmp_path: Path) -> None:
    sheet = ContactSheet(across=2)
    grey = np.full((360, TILE_WIDTH, 3), 90, np.uint8)
    heads = np.array([[0.25, 0.25, 0.5, 0.5]])

    sheet.add([(grey, heads)])
    sheet.add([(grey[:200], np.empty((0, 4))), (grey[:200], np.empty((0, 4)))])
    sheet.write(tmp_path / "sheet.png")

    picture = cv2.imread(str(tmp_path / "sheet.png"))
    assert picture.shape == (560, 2 * TILE_WIDTH, 3)
    assert picture[90, 160].tolist() == picture[180, 320].tolist() == [255, 255, 255]
    assert picture[100, 200].tolist() == [90, 90, 90]
    assert (picture[:360, TILE_WIDTH:] == 0).all()
    assert (grey == 90).all()
