"""Who is who from frame to frame, and for how long: people made by hand."""

from pathlib import Path

import numpy as np
import pytest

from nodes import track_people
from nodes.track_people import Config, TrackPeople
from nodes.types import Detections
from tests.helpers import frames, make_node, table
from tests.nodes.walkers import follow, found, ids, person


def test_who_is_there_at_the_start_is_a_track_at_once() -> None:
    (tracks,) = follow([person(0.7), person(0.3)])

    assert tracks.track_id.tolist() == [1, 2]
    assert tracks.observed.all()
    expected = found(person(0.7), person(0.3))
    for name in ("head_box", "head_score", "body_box", "body_score", "direction_scores"):
        assert np.array_equal(getattr(tracks, name), getattr(expected, name))


@pytest.mark.parametrize("step_s", [0.02, 0.1, 0.5])
def test_a_walker_keeps_the_number(step_s: float) -> None:
    """Half a body height per second, at 50, 10 and 2 frames a second."""
    speed = 0.3 * 9 / 16
    walk = [[person(0.1 + speed * step_s * k)] for k in range(round(2 / step_s))]

    assert ids(follow(*walk, step_s=step_s)) == [[1]] * len(walk)


def test_frames_may_come_at_any_time() -> None:
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.4, 30))
    node = make_node(TrackPeople)
    node.open()

    seen = [
        node.process(frames(pts_s=[at], step_s=0.01), found(person(0.1 + 0.1 * at), person(0.9 - 0.1 * at)))
        for at in times
    ]

    middles = [tracks.body_box[:, [0, 2]].mean(axis=1) for tracks in seen]
    assert ids(seen) == [[1, 2]] * 30
    assert all(abs(middle[0] - (0.1 + 0.1 * at)) < 0.005 for middle, at in zip(middles, times, strict=True))


def test_two_who_cross_keep_their_numbers() -> None:
    steps = np.linspace(0, 1, 41)
    crossing = [[person(0.2 + 0.6 * s, 0.2), person(0.8 - 0.6 * s, 0.25)] for s in steps]

    tracks = follow(*crossing)

    assert ids(tracks) == [[1, 2]] * 41
    assert tracks[-1].body_box[:, 0] == pytest.approx([0.74, 0.14], abs=0.001)


def test_one_person_is_confirmed_by_time_in_sight() -> None:
    tracks = follow([], *[[person(0.5)]] * 4, confirm_s=0.2)

    assert ids(tracks) == [[], [], [], [1], [1]]


@pytest.mark.parametrize("step_s", [0.02, 0.1, 0.5])
def test_a_flicker_is_never_a_track(step_s: float) -> None:
    """Seen in one frame about every half second, so rarely that a lower rate would show less of it, not more."""
    pause = [[]] * max(round(0.5 / step_s), 1)

    tracks = follow(*[*pause, [person(0.5)]] * 6, step_s=step_s, confirm_s=0.02)

    assert [frame.track_id.tolist() for frame in tracks if len(frame)] == []


def test_numbers_go_by_confirmation_and_are_not_used_again() -> None:
    tracks = follow(
        [person(0.2)],
        *[[person(0.2), person(0.8)]] * 3,
        *[[]] * 30,
        *[[person(0.5)]] * 3,
        confirm_s=0.2,
        max_lost_s=1.0,
    )

    assert ids(tracks)[:4] == [[1], [1], [1], [1, 2]]
    assert ids(tracks)[-1] == [3]


def test_somebody_lost_keeps_the_number_for_a_while() -> None:
    walk = [[person(0.2 + 0.01 * k)] for k in range(40)]
    hidden = [[] if 15 <= k < 28 else people for k, people in enumerate(walk)]

    assert ids(follow(*hidden, max_lost_s=2.0))[-1] == [1]
    assert ids(follow(*hidden, max_lost_s=1.0))[-1] == [2]


@pytest.mark.parametrize("step_s", [0.05, 0.1, 0.25])
def test_a_body_out_of_sight_is_reported_where_it_is_expected(step_s: float) -> None:
    walk = [[person(0.2 + 0.2 * step_s * k)] for k in range(round(2 / step_s))]

    tracks = follow(*walk, *[[]] * 12, coast_s=0.5, coast_spread=9.0, persistence_s=10.0, step_s=step_s)

    unseen = tracks[len(walk) :]
    coasting = round(0.5 / step_s)
    assert ids(unseen) == [[1]] * coasting + [[]] * (12 - coasting)
    last = unseen[coasting - 1]
    middle = 0.2 + 0.2 * step_s * (len(walk) + coasting - 1)
    assert last.body_box[0] == pytest.approx([middle - 0.06, 0.2, middle + 0.06, 0.8], abs=0.02)
    assert not last.observed.any()
    assert (np.isnan(last.head_box).all(), last.head_score[0], last.body_score[0]) == (True, 0, 0)


def test_a_body_out_of_sight_is_reported_while_its_place_is_fairly_certain() -> None:
    """After 1.5 s at rest; the longer unseen and the less known before, the less certain."""
    watched, glimpsed = [[person(0.5)]] * 15, [[person(0.5)]]

    for_long, shorter, none, after_a_glimpse = (
        sum(map(len, follow(*seen, *[[]] * 20, coast_s=2.0, coast_spread=spread)[len(seen) :]))
        for seen, spread in ((watched, 1.0), (watched, 0.2), (watched, 0.02), (glimpsed, 0.2))
    )

    assert 20 >= for_long > shorter > after_a_glimpse > none == 0


def test_bodies_are_reported_as_filtered_and_heads_as_seen() -> None:
    """Boxes that are off by a few per cent of the size to the left and to the right in turn."""
    shaken = [[person(0.5 + 0.01 * (-1) ** k)] for k in range(30)]

    tracks = follow(*shaken, step_s=0.02)

    heads, bodies = (
        np.array([getattr(frame, name)[0, 0] for frame in tracks[10:]]) for name in ("head_box", "body_box")
    )
    assert np.ptp(heads) == pytest.approx(0.02)
    assert np.ptp(bodies) < 0.012
    assert bodies.mean() == pytest.approx(0.44, abs=0.002)


def test_who_has_left_the_frame_is_not_waited_for() -> None:
    leaving = [[person(0.8 + 0.02 * k)] for k in range(9)]

    tracks = follow(*leaving, *[[]] * 5, *[[person(0.95)]] * 4, max_lost_s=5.0, confirm_s=0.2)

    assert ids(tracks)[-1] == [2]


def test_somebody_lost_does_not_take_the_place_of_somebody_seen() -> None:
    """Two stand close; one is hidden for a second, then the other makes a step to where the one was."""
    both, hidden = [person(0.47), person(0.55)], [person(0.55)]

    tracks = follow(*[both] * 10, *[hidden] * 10, [person(0.51)])

    assert tracks[-1].track_id[tracks[-1].observed].tolist() == [2]


def test_weak_sights_keep_a_track_but_begin_none() -> None:
    tracks = follow(
        [person(0.2)],
        *[[person(0.2, score=0.3), person(0.8, score=0.3)]] * 10,
        high_score=0.5,
        new_score=0.5,
    )

    assert ids(tracks) == [[1]] * 11
    assert all(frame.observed.all() for frame in tracks)


def test_weak_sights_do_not_bring_back_the_lost() -> None:
    tracks = follow([person(0.2)], [], [person(0.2, score=0.3)], high_score=0.5, new_score=0.5, coast_spread=9.0)

    assert [frame.observed.tolist() for frame in tracks] == [[True], [False], [False]]


def test_streams_and_generations_count_for_themselves() -> None:
    node = make_node(TrackPeople)
    node.open()
    batch = frames(4, ("a", "b", "a", "b"), pts_s=[0, 0, 0.1, 0.1], generation=[0, 0, 1, 0])
    people = table(
        Detections,
        frame_row=[0, 1, 1, 2, 3],
        **{
            name: [p[name] for p in (person(0.2), person(0.5), person(0.8), person(0.8), person(0.8))]
            for name in person(0)
        },
    )

    tracks = node.process(batch, people)

    assert list(zip(tracks.frame_row.tolist(), tracks.track_id.tolist(), strict=True)) == [
        (0, 1), (1, 1), (1, 2), (2, 1), (3, 1), (3, 2),
    ]  # fmt: skip
    assert tracks.observed.tolist() == [True, True, True, True, False, True]


def test_the_shape_of_the_frame_does_not_matter() -> None:
    """The same people, seen by an upright and a lying camera with the same pixels a metre."""
    results = []
    for width, height in ((400, 800), (1600, 800)):
        node = make_node(TrackPeople)
        node.open()
        shown = []
        for k in range(30):
            boxes = found(person(0.0))
            scale = np.array([400 / width, 1, 400 / width, 1], np.float32)
            offset = np.array([0.2 + 0.02 * k, 0] * 2, np.float32)
            moved = {name: (getattr(boxes, name) + offset) * scale for name in ("head_box", "body_box")}
            rest = {name: getattr(boxes, name) for name in ("head_score", "body_score", "direction_scores")}
            people = table(Detections, frame_row=[0], **moved, **rest)
            people = people if k < 20 else people.take([])
            shown.append(node.process(frames(1, start_s=0.1 * k, step_s=0.1, size_wh=(width, height)), people))
        results.append(shown)

    upright, lying = results
    assert ids(upright) == ids(lying)
    assert upright[22].body_box * [0.25, 1, 0.25, 1] == pytest.approx(lying[22].body_box, abs=1e-5)


def test_the_same_people_give_the_same_tracks() -> None:
    rng = np.random.default_rng(3)
    crowd = [[person(x, y) for x, y in rng.random((rng.integers(8), 2)) * 0.4 + 0.1] for _ in range(40)]

    first, second = follow(*crowd), follow(*crowd)

    assert ids(first) == ids(second)
    assert all(np.array_equal(a.body_box, b.body_box, equal_nan=True) for a, b in zip(first, second, strict=True))


def test_a_solver_that_is_not_installed_is_said_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Config(solver="lap").problems(Path()) == {}

    monkeypatch.setattr(track_people, "find_spec", lambda name: None)

    assert Config(solver="scipy").problems(Path()) == {}
    assert Config(solver="lap").problems(Path()) == {
        "solver": ["expected the package lap beside ours, got none; type pip install lap"]
    }
