"""Write the bodies in a truth as boxes of a detector that makes no mistakes: a sequence folder of the MOTChallenge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

MIN_VISIBLE = 0.3
"""Share of a body that must be seen for it to get a box."""


def write_boxes(truth: dict[str, Any], folder: Path) -> Path:
    """Write `det.txt` and `seqinfo.ini` into a folder; return the path of the boxes.

    A row is `frame,-1,left,top,width,height,score,-1,-1,-1`: frames from 1, boxes of visible bodies in pixels, for a
    score the share of the body that is seen. The boxes do not say who is who.

    Args:
        truth: what `read_truth` returned.
        folder: made if it is not there; files of these names are replaced.
    """
    width, height = truth["size_wh"]
    rows = []
    for number, frame in enumerate(truth["frames"], start=1):
        people = frame["people"]
        corners = people.body_box * np.array([width, height, width, height])
        for box, visible in zip(corners, people.body_visible, strict=True):
            if visible >= MIN_VISIBLE:
                left, top, right, bottom = box.tolist()
                rows.append(f"{number},-1,{left:.1f},{top:.1f},{right - left:.1f},{bottom - top:.1f},{visible:.2f}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "det.txt"
    path.write_text("".join(f"{row},-1,-1,-1\n" for row in rows), encoding="ascii")
    told = {"frameRate": f"{truth['fps']:g}", "seqLength": len(truth["frames"]), "imWidth": width, "imHeight": height}
    lines = ["[Sequence]", *(f"{key}={value}" for key, value in told.items())]
    (folder / "seqinfo.ini").write_text("\n".join(lines) + "\n", encoding="ascii")
    return path
