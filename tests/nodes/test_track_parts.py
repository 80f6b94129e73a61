"""Parts find the person they belong to, also where people stand before each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.bodies import SIZE_WH, crowd
from nodes.ops.anatomy import BODY_PARTS, HEAD_PARTS
from nodes.ops.wholebody import BODY, HEAD, NAMES
from nodes.track_parts import TrackParts
from nodes.types import Parts, TrackedParts, Tracks
from tests.helpers import frames, make_node, run_node, table

HIGH = (400, 400)
A_HEAD, A_BODY = [0.20, 0.10, 0.30, 0.22], [0.10, 0.10, 0.40, 0.90]
B_HEAD, B_BODY = [0.40, 0.12, 0.50, 0.24], [0.30, 0.12, 0.60, 0.92]


def spot(x: float, y: float, half: float = 0.01) -> list[float]:
    return [x - half, y - half, x + half, y + half]


def parts_of(rows: list[tuple[str, list[float]]], frame_row: int = 0) -> Parts:
    """Return parts of one frame from names and boxes, ordered as a detector has them."""
    rows = sorted(rows, key=lambda row: NAMES.index(row[0]))
    return table(
        Parts,
        frame_row=[frame_row] * len(rows),
        label=[NAMES.index(name) for name, _ in rows],
        box=[box for _, box in rows],
        score=np.linspace(0.9, 0.5, len(rows)),
    )


def tracks_of(people: dict[int, tuple[list[float] | None, list[float] | None]], observed: bool = True) -> Tracks:
    """Return tracks of one frame: number -> head and body."""
    nothing = [np.nan] * 4
    return table(
        Tracks,
        frame_row=[0] * len(people),
        track_id=list(people),
        head_box=[head or nothing for head, _ in people.values()],
        body_box=[body or nothing for _, body in people.values()],
        observed=[observed] * len(people),
    )


def whose(tracks: Tracks, rows: list[tuple[str, list[float]]], **config: Any) -> list[int]:
    """Return the track of each row, in the order given."""
    order = sorted(range(len(rows)), key=lambda k: NAMES.index(rows[k][0]))
    (told,) = run_node(make_node(TrackParts, **config), [(frames(1, size_wh=HIGH), tracks, parts_of(rows))])
    assert isinstance(told, TrackedParts)
    return [int(id) for _, id in sorted(zip(order, told.track_id, strict=True))]


TWO = tracks_of({3: (A_HEAD, A_BODY), 5: (B_HEAD, B_BODY)})
BOTH = [("body", A_BODY), ("body", B_BODY), ("head", A_HEAD), ("head", B_HEAD)]


def test_bodies_and_heads_go_to_the_tracks_they_overlap_most_in_total() -> None:
    near_a = [0.12, 0.11, 0.42, 0.89]

    assert whose(TWO, [("body", near_a), ("head", B_HEAD), ("body", B_BODY), ("head", A_HEAD)]) == [3, 5, 5, 3]
    assert whose(TWO, [("body", [0.7, 0.1, 0.9, 0.9]), ("head", [0.75, 0.1, 0.8, 0.2])]) == [0, 0]
    assert whose(TWO, [("body", near_a)], min_overlap=0.95) == [0]


def test_what_lies_in_two_bodies_goes_to_the_one_it_fits() -> None:
    rows = [
        ("shoulder", spot(0.32, 0.24)),  # the right one of A, inside of B's box
        ("shoulder", spot(0.37, 0.26)),  # the left one of B, inside of A's box
        ("knee", spot(0.33, 0.62)),
        ("knee", spot(0.39, 0.63)),
    ]

    assert whose(TWO, BOTH + rows)[4:] == [3, 5, 3, 5]
    swapped = [BOTH[1], BOTH[0], *BOTH[2:]]
    assert whose(TWO, swapped + rows)[4:] == [3, 5, 3, 5]


def test_nobody_has_more_of_a_kind_than_a_person_has() -> None:
    rows = [("shoulder", spot(x, y)) for x, y in ((0.15, 0.24), (0.35, 0.24), (0.25, 0.5))]
    rows += [("collarbone", spot(0.25, 0.25)), ("collarbone", spot(0.3, 0.35))]
    rows += [("hand", spot(x, 0.55, 0.03)) for x in (0.13, 0.37, 0.25)]

    told = whose(tracks_of({3: (A_HEAD, A_BODY)}), [("body", A_BODY), ("head", A_HEAD), *rows])[2:]

    assert told == [3, 3, 0, 3, 0, 3, 3, 0]


def test_a_hand_reaches_for_the_elbow_and_wrist_it_hangs_on() -> None:
    arm_of_a = [("shoulder", spot(0.33, 0.24)), ("elbow", spot(0.4, 0.32)), ("wrist", spot(0.46, 0.4))]
    wide_a = [0.10, 0.10, 0.50, 0.90]
    two = tracks_of({3: (A_HEAD, wide_a), 5: (B_HEAD, B_BODY)})
    both = [("body", wide_a), *BOTH[1:]]

    told = whose(two, [*both, *arm_of_a, ("hand", spot(0.485, 0.43, 0.03))])

    assert told[4:] == [3, 3, 3, 3]


def test_faces_and_what_is_in_them_go_to_heads() -> None:
    rows = [
        ("face", [0.22, 0.14, 0.29, 0.22]),
        ("face", [0.41, 0.15, 0.48, 0.24]),
        ("eye", spot(0.235, 0.165)),
        ("eye", spot(0.27, 0.165)),
        ("eye", spot(0.46, 0.18)),
        ("nose", spot(0.25, 0.18)),
        ("mouth", spot(0.445, 0.22)),
        ("ear", spot(0.21, 0.165)),
        ("ear", spot(0.8, 0.165)),
        ("mouth", spot(0.25, 0.16, 0.06)),  # as large as the head
    ]

    assert whose(TWO, BOTH + rows)[4:] == [3, 5, 3, 3, 5, 3, 5, 3, 0, 0]


def test_a_wheelchair_belongs_to_who_sits_in_it_not_to_who_pushes_it() -> None:
    sitting = [0.34, 0.42, 0.48, 0.88]
    pushing = [0.35, 0.10, 0.60, 0.90]
    two = tracks_of({1: ([0.37, 0.42, 0.43, 0.52], sitting), 2: ([0.42, 0.1, 0.5, 0.2], pushing)})
    chair = ("body_with_wheelchair", [0.25, 0.38, 0.58, 0.95])

    assert whose(two, [("body", sitting), ("body", pushing), chair])[2] == 1
    assert whose(two, [("body", pushing), chair, ("body", sitting), ("body_with_crutches", pushing)]) == [2, 1, 1, 2]
    assert whose(two, [("body", sitting), chair], min_aid_fit=0.99) == [1, 0]


def test_parts_of_somebody_without_a_track_are_nobodys_rather_than_the_neighbours() -> None:
    shoulder = ("shoulder", spot(0.37, 0.26))
    alone = tracks_of({3: (A_HEAD, A_BODY)})

    assert whose(alone, [("body", A_BODY), shoulder]) == [3, 3]
    assert whose(alone, [("body", A_BODY), ("body", B_BODY), ("head", B_HEAD), shoulder]) == [3, 0, 0, 0]


def test_people_who_were_not_seen_have_no_parts() -> None:
    unseen = tracks_of({3: (None, A_BODY)}, observed=False)

    assert whose(unseen, [("body", A_BODY), ("shoulder", spot(0.2, 0.25))]) == [0, 0]


def test_joints_are_held_by_the_body_that_was_found_else_by_the_box_of_the_track() -> None:
    assert whose(tracks_of({3: (A_HEAD, A_BODY)}), [("shoulder", spot(0.18, 0.25))]) == [3]
    left = [0.10, 0.10, 0.24, 0.90]  # where the filter expects the body, which is wider
    assert whose(tracks_of({3: (A_HEAD, left)}), [("body", A_BODY), ("shoulder", spot(0.33, 0.25))]) == [3, 3]
    assert whose(tracks_of({3: (A_HEAD, None)}), [("eye", spot(0.24, 0.16)), ("shoulder", spot(0.18, 0.25))]) == [3, 0]


def test_rows_stay_as_they_are_and_frames_and_streams_apart() -> None:
    rows = [*BOTH, ("knee", spot(0.2, 0.7))]
    one, other = parts_of(rows), parts_of(rows, 1)
    parts = Parts(**{name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in vars(one)})
    tracks = tracks_of({3: (A_HEAD, A_BODY)})

    (told,) = run_node(make_node(TrackParts), [(frames(stream=("shop", "door"), pts_s=[0, 0]), tracks, parts)])

    assert told.track_id.tolist() == [3, 0, 3, 0, 3] + [0] * 5
    for name in vars(parts):
        assert np.array_equal(getattr(told, name), getattr(parts, name))


def test_nothing_comes_of_no_parts_and_nobody_owns_what_is_there_without_tracks() -> None:
    assert whose(Tracks.empty(), [*BOTH, ("eye", spot(0.24, 0.16)), ("knee", spot(0.2, 0.7))]) == [0] * 6
    (told,) = run_node(make_node(TrackParts), [(frames(1), TWO, Parts.empty())])
    assert len(told) == 0


@pytest.mark.parametrize(("people", "least"), [(2, 0.97), (4, 0.91), (8, 0.83)])
def test_in_crowds_most_parts_find_their_person_and_far_more_than_in_the_first_box(people: int, least: float) -> None:
    ours = first = count = 0
    node = make_node(TrackParts)
    node.open()
    for seed in range(30):
        rng = np.random.default_rng(seed)
        found = crowd(rng, (5, 30), people)
        boxes = np.full((2, people, 4), np.nan)
        for side, label in enumerate((HEAD, BODY)):
            boxes[side, found.person[found.label == label]] = found.box[found.label == label]
        tracks = table(
            Tracks,
            frame_row=[0] * people,
            track_id=np.arange(1, people + 1),
            head_box=boxes[0],
            body_box=boxes[1],
            observed=[True] * people,
        )
        parts = table(Parts, frame_row=[0] * len(found.label), label=found.label, box=found.box)
        told = node.process(frames(1, size_wh=SIZE_WH), tracks, parts).track_id - 1
        small = ~np.isin(found.label, [BODY, HEAD])
        middle = (found.box[:, :2] + found.box[:, 2:]) / 2
        order = rng.permutation(people)
        holds = ((middle[:, None] >= boxes[1, order, :2]) & (middle[:, None] <= boxes[1, order, 2:])).all(axis=2)
        by_first = np.where(holds.any(axis=1), order[holds.argmax(axis=1)], -1)
        ours += np.count_nonzero((told == found.person)[small])
        first += np.count_nonzero((by_first == found.person)[small])
        count += np.count_nonzero(small)

    assert ours / count >= least
    assert (count - ours) < 0.45 * (count - first)


def test_whatever_is_found_nobody_gets_too_much_and_nothing_breaks() -> None:
    rng = np.random.default_rng(0)
    kinds = [BODY, HEAD, *HEAD_PARTS, *BODY_PARTS]
    node = make_node(TrackParts)
    node.open()

    def some_boxes(count: int) -> np.ndarray:
        low = rng.random((count, 2))
        sides = rng.random((count, 2)) * 0.5 * (rng.random((count, 2)) > 0.1)  # some have no extent
        return np.concatenate([low, np.minimum(low + sides, 1)], axis=1)

    for _ in range(60):
        count, people = int(rng.integers(60)), int(rng.integers(6))
        labels = np.sort(rng.choice(kinds, count))
        parts = table(Parts, frame_row=[0] * count, label=labels, box=some_boxes(count))
        columns = {"head_box": some_boxes(people), "body_box": some_boxes(people), "observed": rng.random(people) < 0.8}
        for name in ("head_box", "body_box"):
            columns[name][rng.random(people) < 0.3] = np.nan
        tracks = table(Tracks, frame_row=[0] * people, track_id=np.arange(1, people + 1), **columns)

        told = node.process(frames(1, size_wh=SIZE_WH), tracks, parts)

        owned = told.track_id > 0
        _, many = np.unique(np.stack([told.label, told.track_id])[:, owned], axis=1, return_counts=True)
        assert many.max(initial=0) <= 2
        assert set(told.track_id[owned].tolist()) <= set(tracks.track_id[columns["observed"]].tolist())
