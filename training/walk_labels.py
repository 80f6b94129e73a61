"""Score what walking tells of where real heads point: `python -m training.walk_labels`.

`GAZE_REAL_DATA` names the folder of real footage. Its two clips with yaws by eye are labelled as `training.adapt` does
with somebody's footage, ten frames a second, and the noses of those who walk are compared with the yaws of the same
heads, and with what the detector tells of them. Needs the training extra.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.matching import fit_loosely, pair
from benchmarks.real_groups import SHIPPED
from benchmarks.real_labels import data_folder
from benchmarks.real_tally import CLOSE_DEG
from benchmarks.real_yaws import read_labels
from benchmarks.results import ROOT, guarded
from nodes.ops.angles import wrap_deg
from nodes.ops.directions import yaw_pitch
from pipeline.cards import load_card
from training.adapt import command_line
from training.labelled_footage import Clip, Plan, label_footage
from training.teacher import Detector, Scores

Array = np.ndarray[Any, np.dtype[Any]]

_PER_SECOND, _MOST = 10.0, 400
_NEAR_S = 0.06
"""Taken frames lie so far, at most, from labelled ones; heads hardly move in that time."""
_USUAL = command_line().get_default
_PLAN = Plan(_PER_SECOND, _MOST, Scores(_USUAL("accept"), _USUAL("ignore")), 1e9, "ends")
"""Scores as `training.adapt` has them when it is not told otherwise; of things that stand still nothing is asked."""


class Labelled(NamedTuple):
    """The heads of one frame whose yaws are known by eye."""

    at_s: float
    box: Array
    """(N, 4) fractions."""
    yaw_deg: Array
    """(N,)"""


@dataclass
class Walked:
    """How far walking and the detector are off, of heads by eye whose people walk."""

    labelled: int = 0
    """Heads by eye, of whomever."""
    walking_deg: list[float] = field(default_factory=list)
    detector_deg: list[float] = field(default_factory=list)
    """Of the same heads; nan where the detector told nothing."""


def compare(clip: Clip, labelled: Iterable[Labelled], detector: Detector) -> Walked:
    """Compare what walking tells of a clip with yaws by eye."""
    walked, at_s = Walked(), np.array([sample.at_s for sample in clip.frames])
    for known in labelled:
        walked.labelled += len(known.yaw_deg)
        number = int(np.abs(at_s - known.at_s).argmin())
        if abs(at_s[number] - known.at_s) > _NEAR_S:
            continue
        labels, picture = clip.labels[number], clip.frames[number].picture
        rows = np.flatnonzero(~np.isnan(labels.nose[:, 0]))
        box, way_deg = labels.boxes.box[rows], yaw_pitch(labels.nose[rows])[:, 0]
        by_eye = pair(labels.boxes.score[rows], fit_loosely(box, known.box))
        found, told_deg = detector.find_with_yaws(picture)
        by_detector = pair(labels.boxes.score[rows], fit_loosely(box, found.box) * ~np.isnan(told_deg))
        for row in np.flatnonzero(by_eye >= 0):
            true_deg = known.yaw_deg[by_eye[row]]
            seen_deg = told_deg[by_detector[row]] if by_detector[row] >= 0 else np.nan
            off_deg = wrap_deg(np.array([way_deg[row], seen_deg]) - true_deg)
            walked.walking_deg.append(abs(float(off_deg[0])))
            walked.detector_deg.append(abs(float(off_deg[1])))
    return walked


def as_line(name: str, walked: Walked) -> str:
    """Return what is told of one clip."""
    way, seen = np.array(walked.walking_deg), np.array(walked.detector_deg)
    if not len(way):
        return f"{name}: of {walked.labelled} heads by eye none is of somebody who walks"
    right, read = int((way <= CLOSE_DEG).sum()), int((seen <= CLOSE_DEG).sum())
    return (
        f"{name}: {len(way)} of {walked.labelled} heads by eye are of those who walk; where they go is within "
        f"{CLOSE_DEG:g} degrees of {right}, off by {way.mean():.0f} on average; the detector is of {read}"
    )


def main() -> int:
    """Label both clips, compare and print."""
    folder, detector = data_folder(), Detector(load_card(SHIPPED, ROOT)[1])
    for name, frames in read_labels(folder).items():
        with tempfile.TemporaryDirectory() as alone:
            (Path(alone) / Path(name).name).symlink_to((folder / name).resolve())
            (clip,) = label_footage(Path(alone), detector, _PLAN)
        sys.stdout.write(as_line(name, compare(clip, _known(folder / name, frames), detector)) + "\n")
    return 0


def _known(path: Path, frames: dict[int, Array]) -> Iterator[Labelled]:
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate, size_wh = float(stream.average_rate or 0), np.array([stream.width, stream.height] * 2)
    for number, heads in frames.items():
        yield Labelled(number / rate, heads[:, :4] / size_wh, heads[:, 4])


if __name__ == "__main__":
    sys.exit(guarded(main))
