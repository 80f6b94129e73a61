"""How far heads are told to be: on rendered scenes, where that is known, and on real footage with a camera matrix."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from nodes.detect_people import Config as PeopleConfig
from nodes.detect_people import DetectPeople
from nodes.estimate_distance import Config, EstimateDistance
from nodes.types import Distances, Tracks
from pipeline.device import open_device
from pipeline.frames import FrameBatch, Picture, Stream
from pipeline.graph import Graph
from pipeline.node import Context
from pipeline.streams import StreamConfig
from pipeline.yaml_source import read_yaml
from scenes.clip import make_clip

Array = np.ndarray[Any, np.dtype[Any]]

ROOT = Path(__file__).resolve().parents[1]
UPSTREAM_HEAD_M = 0.26
"""Width of a head box in the demo of DEIMv2-Wholebody34."""
HEAD_HEIGHT_CM = 160.0


@dataclass(frozen=True)
class Told:
    """What was told of N heads, metres."""

    true_m: Array
    ours_m: Array
    upstream_m: Array
    """By the width of the box alone, and the focal length."""


def rendered(seeds: range, moments: int) -> Told:
    """Return what is told of heads in rendered scenes, whose boxes and directions are the true ones."""
    rows: list[tuple[float, float, float]] = []
    for seed in seeds:
        clip = make_clip(seed, size_wh=(640, 384))
        camera = clip.place.canvas.camera
        focal = camera.focal_px / camera.size_wh[0]  # in widths of the frame
        config = {"hfov_deg": float(np.degrees(2 * np.arctan(0.5 / focal)))}
        actors = {actor.person_id: actor for actor in clip.actors}
        for index in np.linspace(0, len(clip) - 1, moments).astype(int).tolist():
            frame = clip.frame(index)
            people, at_s = frame.people, frame.pts_ns / 1e9
            shown = _frame(clip.size_wh, config)
            tracks = _tracks(people.person_id, people.head_box, np.eye(8)[people.direction])
            told = _distances(shown, tracks)
            for id, ours in zip(told.track_id.tolist(), told.distance_m.tolist(), strict=True):
                true = float(np.linalg.norm(actors[id].figure(at_s).head_centre - camera.position))
                box = people.head_box[people.person_id == id][0]
                rows.append((true, ours, UPSTREAM_HEAD_M * focal / float(box[2] - box[0])))
    return Told(*np.array(rows).T)


def of_retail02(folder: Path, frames: int = 603) -> tuple[Array, Array]:
    """Return how far the people of a shop's camera are (N,), (N,): by their heads, and by its matrix and the floor.

    Heads are those that the detector that ships finds on people whose feet were boxed by eye. The matrix says where
    their heads are if they are 1.6 m above its floor.

    Args:
        folder: of the clip, its matrix and its boxes.
        frames: how many of the clip are looked at.
    """
    import av

    matrix = np.array(read_yaml(folder / "camInfo.yml").data["projectionMatrix_3x4"], np.float64).reshape(3, 4)
    stream = {
        "camera_matrix": matrix.tolist(),
        "camera_size_wh": (1920, 1080),
        "camera_origin": "centre",
    }
    labels = np.loadtxt(folder / "boxes_keyframes.mot.txt", delimiter=",")
    labels = labels[(labels[:, 6] == 1) & (labels[:, 0] <= frames)]
    detector = DetectPeople(PeopleConfig(lone_head_min_score=0.5), _context())
    detector.open()
    by_head, by_floor = [], []
    with av.open(str(folder / "Retail02_short.mp4")) as video:
        for number, decoded in enumerate(islice(video.decode(video=0), frames), 1):
            mine = labels[labels[:, 0] == number]
            if len(mine):
                shown = _frame((decoded.width, decoded.height), stream, decoded.to_ndarray(format="bgr24"))
                people = detector.process(shown)
                people = people.take(~np.isnan(people.head_box[:, 0]))
                tracks = _tracks(np.arange(1, len(people) + 1), people.head_box, people.direction_scores)
                told = _distances(shown, tracks)
                heads, floor = _paired(told, tracks, mine, matrix)
                by_head += heads
                by_floor += floor
    detector.close()
    return np.array(by_head), np.array(by_floor)


def _paired(told: Distances, tracks: Tracks, labels: Array, matrix: Array) -> tuple[list[float], list[float]]:
    """Return both distances of each labelled person on whom exactly one head was found."""
    where = -np.linalg.solve(matrix[:, :3], matrix[:, 3])
    plane = np.stack([matrix[:, 0], matrix[:, 1], matrix[:, 2] * HEAD_HEIGHT_CM + matrix[:, 3]], axis=1)
    middle = (tracks.head_box[:, :2] + tracks.head_box[:, 2:]) / 2 * np.array([1920, 1080])
    by_head, by_floor = [], []
    for left, top, width, height in labels[:, 2:6].tolist():
        on = (middle[:, 0] > left) & (middle[:, 0] < left + width)
        on &= (middle[:, 1] > top - 0.05 * height) & (middle[:, 1] < top + 0.3 * height)
        known = np.flatnonzero(np.isin(told.track_id, tracks.track_id[on]))
        if on.sum() == 1 and len(known) == 1:
            x, y, w = np.linalg.solve(plane, [*(middle[on][0] - [960, 540]), 1.0])
            by_head.append(float(told.distance_m[known[0]]))
            by_floor.append(float(np.linalg.norm(np.array([x / w, y / w, HEAD_HEIGHT_CM]) - where)) / 100)
    return by_head, by_floor


def _distances(shown: FrameBatch, tracks: Tracks) -> Distances:
    node = EstimateDistance(Config(median_s=0), _context())
    node.open()
    return node.process(shown, tracks)


def _tracks(ids: Array, head_box: Array, direction_scores: Array) -> Tracks:
    count = len(ids)
    order = np.argsort(ids)
    zeros = np.zeros(count, np.int64)
    return Tracks(
        frame_row=zeros,
        track_id=np.asarray(ids, np.int64)[order],
        head_box=np.asarray(head_box, np.float32)[order],
        head_score=np.ones(count, np.float32),
        body_box=np.full((count, 4), np.nan, np.float32),
        body_score=np.zeros(count, np.float32),
        direction_scores=np.asarray(direction_scores, np.float32)[order],
        observed=np.ones(count, np.bool_),
        taken_from=zeros,
        taken_since_ns=zeros,
    )


def _frame(size_wh: tuple[int, int], config: dict[str, Any], image: Array | None = None) -> FrameBatch:
    """Return one frame of a stream with a camera."""
    one = np.zeros(1, np.int64)
    return FrameBatch(
        stream_id=("clip",),
        generation=one,
        frame_index=one,
        pts_ns=one,
        arrived_ns=one,
        size_wh=np.array([size_wh], np.int32),
        pictures=() if image is None else (Picture((image,), "bgr"),),
        streams={"clip": Stream("clip", StreamConfig(url="clip.mp4", **config))},
    )


def _context() -> Context:
    return Context("node", open_device("cpu"), ROOT / "out", ROOT, Graph("graphs/wholebody.yaml", ()))
