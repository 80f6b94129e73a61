from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from nodes.draw_overlay import DrawOverlay
from nodes.ops.canvas import Canvas
from nodes.ops.overlay import Person, draw_areas, draw_people, label_areas
from nodes.types import (
    AoiHits,
    GazeMaps,
    GazePoints,
    HeadPoses,
    Tracks,
    Visits,
)
from pipeline.frames import FrameBatch, Picture
from pipeline.values import concat, equal
from tests.helpers import frames, make_node, run_node, table

SIZE = (320, 180)
NOISE = np.random.default_rng(1).integers(0, 256, (180, 320, 3), np.uint8)
HEAD, BODY = [0.4, 0.3, 0.5, 0.45], [0.35, 0.3, 0.55, 0.9]
UNSEEN = [float("nan")] * 4
AREAS = {"coffee": ((0.6, 0.2), (0.9, 0.2), (0.9, 0.6)), "tea": ((0.1, 0.6), (0.3, 0.6), (0.3, 0.9))}


def clip(count: int = 1, areas: dict[str, Any] | None = None, **options: Any) -> FrameBatch:
    """Return frames 0.1 s apart of a noisy picture."""
    config = {"shop": {"aois": areas or {}}}
    return frames(
        count, step_s=0.1, size_wh=SIZE, pictures=[Picture((NOISE,), "bgr")] * count, config=config, **options
    )


def person(frame_rows: Sequence[int] = (0,), track_id: int = 3, **columns: Any) -> Tracks:
    count = len(frame_rows)
    given = {"head_box": [HEAD] * count, "body_box": [BODY] * count, "observed": [True] * count, **columns}
    return table(Tracks, frame_row=frame_rows, track_id=[track_id] * count, **given)


def event(kind: str, known_s: float, start_s: float = 0.0, target: str = "coffee", generation: int = 0) -> Visits:
    ns = [round(time * 1e9) for time in (start_s, known_s)]
    return table(
        Visits,
        kind=[kind],
        stream_id=["shop"],
        generation=[generation],
        track_id=[3],
        target=[target],
        start_ns=ns[:1],
        known_ns=ns[1:],
    )


def drawn(node: DrawOverlay, *tick: Any, **named: Any) -> list[np.ndarray]:
    """Return the pictures of one tick."""
    return [picture.planes[0] for picture in node.process(*tick, **named).pictures]


def opened(**config: Any) -> DrawOverlay:
    node: DrawOverlay = make_node(DrawOverlay, **{"caption": False, "blur_heads": False, **config})
    node.open()
    return node


def expected(
    people: Sequence[Person] = (),
    told: dict[int, dict[str, str]] | None = None,
    hit: dict[int, dict[str, str]] | None = None,
    areas: dict[str, Any] | None = None,
) -> np.ndarray:
    """Return the noisy picture with what is asked for drawn by hand."""
    canvas = Canvas(NOISE.copy())
    rings = {name: [polygon] for name, polygon in (areas or {}).items()}
    draw_areas(canvas, rings, hit or {}, told or {})
    draw_people(canvas, people, told or {})
    label_areas(canvas, rings, told or {})
    return canvas.image


def f32(values: Sequence[float]) -> list[float]:
    return np.array(values, np.float32).tolist()


SOMEBODY = Person(3, head=f32(HEAD), body=f32(BODY))


def test_nothing_to_draw_gives_the_picture_back() -> None:
    batch = clip(2)
    (out,) = run_node(opened(), [(batch, Tracks.empty())])

    assert all((picture.planes[0] == NOISE).all() for picture in out.pictures)
    assert equal(out, batch)
    assert (out.streams, [picture.layout for picture in out.pictures]) == (batch.streams, ["bgr", "bgr"])
    assert out.bgr(0) is out.pictures[0].planes[0]


def test_no_frames_give_no_pictures() -> None:
    out = opened().process(frames(0), Tracks.empty())

    assert (len(out), out.pictures) == (0, ())


def test_the_picture_of_the_input_is_not_drawn_into() -> None:
    batch, before = clip(), NOISE.copy()

    out = drawn(opened(blur_heads=True, heat_map=True), batch, person())

    assert (batch.bgr(0) == before).all()
    assert (out[0] != before).any()


def test_a_recording_without_pictures_is_refused() -> None:
    with pytest.raises(ValueError, match="this tick was replayed from a recording, which holds no pictures"):
        opened().process(frames(1), Tracks.empty())


def test_people_are_drawn_with_what_is_known_of_them() -> None:
    poses = table(HeadPoses, frame_row=[0], track_id=[3], yaw_pitch_roll_deg=[[90, 10, -20]])
    points = table(
        GazePoints, frame_row=[0], track_id=[3], head_point=[[0.45, 0.375]], point=[[0.75, 0.25]], in_frame_prob=[0.75]
    )

    (image,) = drawn(opened(), clip(), person(), poses, points)

    ray = (tuple(f32([0.45, 0.375])), tuple(f32([0.75, 0.25])))
    somebody = Person(3, f32(HEAD), f32(BODY), pose_deg=(90.0, 10.0, -20.0), gaze=ray, gaze_share=0.5)
    assert (image == expected([somebody])).all()


def test_a_gaze_out_of_the_frame_has_no_ray() -> None:
    columns = {"frame_row": [0], "track_id": [3], "head_point": [[0.45, 0.375]], "point": [[0.75, 0.25]]}
    away = table(GazePoints, **columns, in_frame_prob=[0.49])
    unknown = table(GazePoints, **{**columns, "point": [[np.nan, np.nan]]}, in_frame_prob=[0.9])

    for points in (away, unknown):
        assert (drawn(opened(), clip(), person(), points=points)[0] == expected([SOMEBODY])).all()


@pytest.mark.parametrize(
    ("columns", "known"),
    [
        ({"head_box": [UNSEEN]}, Person(3, body=f32(BODY))),
        ({"body_box": [UNSEEN]}, Person(3, head=f32(HEAD))),
        ({"head_box": [UNSEEN], "body_box": [UNSEEN]}, Person(3)),
        ({"observed": [False]}, Person(3, f32(HEAD), f32(BODY), observed=False)),
    ],
)
def test_boxes_that_are_not_known_are_not_drawn(columns: dict[str, Any], known: Person) -> None:
    assert (drawn(opened(), clip(), person(**columns))[0] == expected([known])).all()


def test_rows_of_other_frames_are_left_to_their_frames() -> None:
    first, second = drawn(opened(), clip(2), person([1]))

    assert (first == NOISE).all()
    assert (second == expected([SOMEBODY])).all()


def test_hits_tell_who_looks_at_what() -> None:
    hits = table(AoiHits, frame_row=[0, 0], track_id=[3, 3], target=["coffee", ""])

    (image,) = drawn(opened(), clip(areas=AREAS), person(), hits=hits)

    looking = {3: {"coffee": ""}}
    assert (image == expected([SOMEBODY], told=looking, hit=looking, areas=AREAS)).all()
    assert (image != expected([SOMEBODY], areas=AREAS)).any()


@pytest.mark.parametrize("last", ["ended", "retracted"])
def test_visits_tell_since_when_and_until_they_end(last: str) -> None:
    node, batch = opened(), clip(4, areas=AREAS)
    looks = [event("started", 0.1, start_s=-0.2), event("updated", 0.2, start_s=-0.2), event(last, 0.3)]

    images = []
    for row, told in enumerate([Visits.empty(), *looks]):
        images += drawn(node, batch.take([row]), person(), looks=told)

    for image, since in zip(images, [None, "0.3 s", "0.4 s", None], strict=True):
        assert (image == expected([SOMEBODY], {3: {"coffee": since}} if since else {}, areas=AREAS)).all()


def test_with_visits_hits_only_light_up_their_area() -> None:
    hits = table(AoiHits, frame_row=[0], track_id=[3], target=["tea"])

    (image,) = drawn(opened(), clip(areas=AREAS), person(), hits=hits, looks=event("started", 0.0))

    assert (image == expected([SOMEBODY], told={3: {"coffee": "0.0 s"}}, hit={3: {"tea": ""}}, areas=AREAS)).all()


def test_visits_do_not_cross_generations_or_the_end_of_their_stream() -> None:
    node = opened()
    node.process(clip(), person(), looks=event("started", 0.0))

    (next_generation,) = drawn(node, clip(generation=1), person(), looks=Visits.empty())
    node.stream_ended("shop")
    (after,) = drawn(node, clip(), person(), looks=Visits.empty())

    assert (next_generation == expected([SOMEBODY])).all()
    assert (after == expected([SOMEBODY])).all()
    assert len(node._shown) == 1


def test_events_of_a_tick_without_frames_count() -> None:
    node = opened()

    node.process(frames(0), Tracks.empty(), looks=event("started", 0.0))
    (image,) = drawn(node, clip(), person(), looks=Visits.empty())

    assert (image == expected([SOMEBODY], {3: {"coffee": "0.0 s"}})).all()


def test_a_batch_gives_what_its_frames_give_one_by_one() -> None:
    batch, tracks = clip(6, areas=AREAS), person([0, 1, 3, 5])
    looks = concat([event("started", 0.1), event("ended", 0.3), event("started", 0.4, 0.2, "tea")])
    whole, single = opened(blur_heads=True), opened(blur_heads=True)

    together = drawn(whole, batch, tracks, looks=looks)
    apart = []
    edges = [-1, *batch.pts_ns.tolist()]
    for row, (after, until) in enumerate(pairwise(edges)):
        seen = person([0]) if row in (0, 1, 3, 5) else Tracks.empty()
        told = looks.take((looks.known_ns > after) & (looks.known_ns <= until))
        apart += drawn(single, batch.take([row]), seen, looks=told)

    assert all((one == other).all() for one, other in zip(together, apart, strict=True))


def test_gaze_maps_are_laid_below_everything_else_on_request() -> None:
    heat = np.zeros((1, 8, 8), np.float32)
    heat[0, 1, 6] = 1
    maps = table(GazeMaps, frame_row=[0], track_id=[3], head_box=[HEAD], heatmap=heat, in_frame_prob=[1])

    (off,) = drawn(opened(), clip(), Tracks.empty(), gaze=maps)
    (on,) = drawn(opened(heat_map=True), clip(), Tracks.empty(), gaze=maps)
    (none,) = drawn(opened(heat_map=True), clip(), Tracks.empty(), gaze=GazeMaps.empty())

    assert (off == NOISE).all()
    assert (none == NOISE).all()
    assert (on[28, 260] != NOISE[28, 260]).any()
    assert (on[120:] == NOISE[120:]).all()


def test_the_caption_stands_in_the_lower_left_corner() -> None:
    (image,) = drawn(opened(caption=True), clip(), Tracks.empty())

    canvas = Canvas(NOISE.copy())
    canvas.caption("shop  0.00 s")
    assert (image == canvas.image).all()
    assert (image[-1, 0] != NOISE[-1, 0]).any()


def blurred(image: np.ndarray, box: Sequence[float]) -> float:
    """Return the share of pixels in a box that are equal to their right neighbour, as they are in coarse cells."""
    x1, y1, x2, y2 = (np.array(box) * [320, 180, 320, 180]).round().astype(int)
    part = image[y1:y2, x1:x2].astype(int)
    return float((part[:, 1:] == part[:, :-1]).all(axis=2).mean())


INNER = [0.42, 0.33, 0.48, 0.42]  # within HEAD, clear of its outline and label
