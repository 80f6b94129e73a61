"""Score a file of our detector on the labelled real frames alone, one by one: what the trainings are compared by.

No graph, no tracks, no time: the rows of the file, at one size. Thresholds play no part, except where it is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import real_labels as labels
from benchmarks.matching import fit_by_iou, fit_loosely, on_ignored, pair
from benchmarks.real_tally import CLOSE_DEG, FACING_DEG
from nodes.ops.angles import wrap_deg, yaw_of_directions
from nodes.ops.wholebody import BODY, HEAD, NAMES

Array = np.ndarray[Any, np.dtype[Any]]

SIZE_WH = (480, 288)
LEAST_SCORE = 0.05
SURE = 0.5
"""Score from which a box counts where a threshold is needed; scores are calibrated."""
_FRONT = NAMES.index("front")


@dataclass(frozen=True)
class LabelledFrame:
    """A frame, what is known of it, and nothing of others."""

    clip: str
    picture: Array
    """(H, W, 3) u8 BGR of SIZE_WH."""
    heads: Array | None
    """(N, 4) fractions; None where heads were not labelled."""
    yaw_deg: Array
    """(N,)"""
    persons: labels.Persons | None


def labelled_frames(folder: Path) -> list[LabelledFrame]:
    """Read all frames with labels."""
    heads, frames = labels.read_heads(folder), []
    for clip, known in heads.items():
        for number, picture in pictures_of(folder / clip, sorted(known)):
            size_wh = np.array(picture.shape[1::-1])
            box, yaw_deg = known[number].in_frame(size_wh), known[number].yaw_deg
            frames.append(LabelledFrame(clip, shrunk(picture), box, yaw_deg, None))
    persons = labels.read_persons(folder)
    for number, picture in pictures_of(folder / labels.RETAIL, sorted(persons)):
        frames.append(LabelledFrame(labels.RETAIL, shrunk(picture), None, np.empty(0), persons[number]))
    return frames


def score(path: Path, frames: Sequence[LabelledFrame]) -> dict[str, float]:
    """Return average precisions and what else the labels tell of a file.

    head_ap: heads, found loosely as in benchmarks.real; head_false: false heads per 10 frames at SURE; yaw_facing and
    yaw_behind: share within 45 degrees; person_ap: at IoU 0.5; person_recall: at precision 0.8.
    """
    import onnxruntime as ort

    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    heads, persons = _Ranked(), _Ranked()
    close: dict[bool, list[bool]] = {True: [], False: []}
    false = shown = 0
    for frame in frames:
        rows = session.run(None, {"input_bgr": frame.picture.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
        rows = rows[rows[:, 5] >= LEAST_SCORE]
        if frame.heads is not None:
            own = rows[rows[:, 0] == HEAD]
            match = pair(own[:, 5], fit_loosely(own[:, 1:5], frame.heads))
            heads.add(own[:, 5], match, np.zeros(len(own), np.bool_), len(frame.heads))
            false, shown = false + int(((match < 0) & (own[:, 5] >= SURE)).sum()), shown + 1
            for row in np.flatnonzero(match >= 0):
                wanted = float(frame.yaw_deg[match[row]])
                apart = wrap_deg(np.array([told_yaw_deg(rows, own[row]) - wanted]))
                close[abs(wanted) <= FACING_DEG].append(bool(abs(apart[0]) <= CLOSE_DEG))
        if frame.persons is not None:
            own, valid = rows[rows[:, 0] == BODY], frame.persons.valid
            match = pair(own[:, 5], fit_by_iou(own[:, 1:5], frame.persons.box[valid]))
            persons.add(own[:, 5], match, on_ignored(own[:, 1:5], frame.persons.box[~valid]), int(valid.sum()))
    return {
        "head_ap": heads.average_precision(),
        "head_false": round(10 * false / max(1, shown), 2),
        "yaw_facing": round(float(np.mean(close[True])), 3) if close[True] else 0.0,
        "yaw_behind": round(float(np.mean(close[False])), 3) if close[False] else 0.0,
        "person_ap": persons.average_precision(),
        "person_recall": persons.recall_at(0.8),
    }


class _Ranked:
    """Boxes of all frames by score, right or wrong."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, bool]] = []
        self.wanted = 0

    def add(self, scores: Array, match: Array, ignored: Array, wanted: int) -> None:
        kept = (match >= 0) | ~ignored
        self.rows += list(zip(scores[kept].tolist(), (match[kept] >= 0).tolist(), strict=True))
        self.wanted += wanted

    def curve(self) -> tuple[Array, Array]:
        """Return recall and precision from the surest box on."""
        right = np.array([good for _, good in sorted(self.rows, key=lambda row: -row[0])], np.float64).cumsum()
        return right / max(1, self.wanted), right / np.arange(1, len(right) + 1)

    def average_precision(self) -> float:
        recall, precision = self.curve()
        return round(float((np.diff(recall, prepend=0.0) * precision).sum()), 4) if len(recall) else 0.0

    def recall_at(self, least_precision: float) -> float:
        recall, precision = self.curve()
        enough = recall[precision >= least_precision]
        return round(float(enough.max(initial=0.0)), 4)


def told_yaw_deg(rows: Array, head: Array) -> float:
    """Return the yaw of a head, one of the rows (N, 6) of a file, by the directions of its box; nan without any."""
    own = rows[(rows[:, 0] >= _FRONT) & (rows[:, 0] < _FRONT + 8) & (rows[:, 1:5] == head[1:5]).all(1)]
    scores = np.zeros((1, 8), np.float32)
    scores[0, own[:, 0].astype(int) - _FRONT] = own[:, 5]
    return float(yaw_of_directions(scores)[0][0])


def pictures_of(path: Path, numbers: Sequence[int]) -> Iterator[tuple[int, Array]]:
    """Return frames of a clip by their numbers, (H, W, 3) u8 BGR."""
    import av

    wanted = set(numbers)
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in wanted:
                yield number, frame.to_ndarray(format="bgr24")
            if number >= max(wanted):
                return


def shrunk(picture: Array) -> Array:
    """Return a frame at SIZE_WH."""
    import cv2

    return np.asarray(cv2.resize(picture, SIZE_WH, interpolation=cv2.INTER_AREA))


def as_row(name: str, figures: Mapping[str, float]) -> str:
    """Return a line of a Markdown table."""
    return f"| {name} | " + " | ".join(f"{value:g}" for value in figures.values()) + " |"
