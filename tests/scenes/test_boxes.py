"""Boxes of the people in a clip, for trackers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from scenes.boxes import write_boxes
from scenes.demo import BOXES, VIDEO
from scenes.files import read_truth, truth_path
from scenes.truth import no_people


def truth(*frames: list[tuple[list[float], float]]) -> dict[str, Any]:
    """Return a truth of frames with bodies and how much of them is seen."""
    rows = []
    for bodies in frames:
        box = np.array([box for box, _ in bodies]).reshape(-1, 4)
        visible = np.array([visible for _, visible in bodies])
        rows.append({"people": replace(no_people(), body_box=box, body_visible=visible)})
    return {"size_wh": [200, 100], "fps": 12.5, "frames": rows}


def test_bodies_that_are_seen_get_a_row_in_pixels(tmp_path: Path) -> None:
    shown = truth([([0.1, 0.2, 0.3, 0.7], 0.8), ([0, 0, 1, 1], 0.29)], [], [([0, 0, 0.5, 0.5], 1)])

    path = write_boxes(shown, tmp_path / "mot")

    assert path.read_text() == (
        "1,-1,20.0,20.0,40.0,50.0,0.80,-1,-1,-1\n3,-1,0.0,0.0,100.0,50.0,1.00,-1,-1,-1\n"
    )  # fmt: skip
    assert (tmp_path / "mot/seqinfo.ini").read_text() == (
        "[Sequence]\nframeRate=12.5\nseqLength=3\nimWidth=200\nimHeight=100\n"
    )


def test_the_boxes_that_ship_are_those_of_the_clip_that_ships(tmp_path: Path) -> None:
    write_boxes(read_truth(truth_path(VIDEO)), tmp_path)

    for name in ("det.txt", "seqinfo.ini"):
        assert (tmp_path / name).read_bytes() == (BOXES / name).read_bytes()
