import numpy as np
import pytest

from nodes.track_people import TrackPeople
from nodes.types import Detections, Tracks
from tests.helpers import frames, make_node, table

NONE = [np.nan] * 4
FRAME_S = 0.1
Person = dict[str, object]


def person(x: float, y: float = 0.2, head: bool = True, body: bool = True, score: float = 0.8) -> Person:
    """Return somebody whose middle line is at x and whose crown is at y, 0.6 of the frame high."""
    return {
        "head_box": [x - 0.025, y, x + 0.025, y + 0.08] if head else NONE,
        "head_score": score * head,
        "body_box": [x - 0.06, y, x + 0.06, y + 0.6] if body else NONE,
        "body_score": score * body,
        "direction_scores": [x, 0, 0, 0, 0, 0, 0, 0],
    }


def found(*people: Person) -> Detections:
    names = person(0).keys()
    return table(Detections, frame_row=[0] * len(people), **{name: [p[name] for p in people] for name in names})


def follow(*frames_of_people: list[Person], step_s: float = FRAME_S, **config: float) -> list[Tracks]:
    """Return the tracks of each frame of one stream."""
    node = make_node(TrackPeople, **config)
    node.open()
    return [
        node.process(frames(1, start_s=step_s * k, step_s=step_s), found(*people))
        for k, people in enumerate(frames_of_people)
    ]


def ids(tracks: list[Tracks]) -> list[list[int]]:
    return [frame.track_id.tolist() for frame in tracks]


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
    assert all(abs(middle[0] - (0.1 + 0.1 * at)) < 1e-6 for middle, at in zip(middles, times, strict=True))


def test_two_who_cross_keep_their_numbers() -> None:
    steps = np.linspace(0, 1, 41)
    crossing = [[person(0.2 + 0.6 * s, 0.2), person(0.8 - 0.6 * s, 0.25)] for s in steps]

    tracks = follow(*crossing)

    assert ids(tracks) == [[1, 2]] * 41
    assert tracks[-1].body_box[:, 0] == pytest.approx([0.74, 0.14])


def test_one_person_is_confirmed_by_time_in_sight() -> None:
    tracks = follow([], *[[person(0.5)]] * 4, confirm_s=0.2)

    assert ids(tracks) == [[], [], [], [1], [1]]


def test_a_flicker_is_never_a_track() -> None:
    tracks = follow(*[[], [person(0.5)], [], []] * 6, confirm_s=0.2)

    assert ids(tracks) == [[]] * 24


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

    tracks = follow(*walk, *[[]] * 12, coast_s=0.5, persistence_s=10.0, step_s=step_s)

    unseen = tracks[len(walk) :]
    coasting = round(0.5 / step_s)
    assert ids(unseen) == [[1]] * coasting + [[]] * (12 - coasting)
    last = unseen[coasting - 1]
    middle = 0.2 + 0.2 * step_s * (len(walk) + coasting - 1)
    assert last.body_box[0] == pytest.approx([middle - 0.06, 0.2, middle + 0.06, 0.8], abs=0.02)
    assert not last.observed.any()
    assert (np.isnan(last.head_box).all(), last.head_score[0], last.body_score[0]) == (True, 0, 0)


def test_who_has_left_the_frame_is_not_waited_for() -> None:
    leaving = [[person(0.8 + 0.02 * k)] for k in range(9)]

    tracks = follow(*leaving, *[[]] * 5, *[[person(0.95)]] * 4, max_lost_s=5.0, confirm_s=0.2)

    assert ids(tracks)[-1] == [2]


@pytest.mark.parametrize("part", ["head", "body"])
def test_half_a_person_keeps_the_number(part: str) -> None:
    half = {"body" if part == "head" else "head": False}
    walk = [[person(0.2 + 0.01 * k, **(half if 5 <= k < 30 else {}))] for k in range(40)]

    tracks = follow(*walk)

    assert ids(tracks) == [[1]] * 40
    assert tracks[20].observed.all()


def test_a_head_first_and_a_body_later_are_one_person() -> None:
    coming = [[person(0.5, body=False)]] * 5 + [[person(0.5, head=False)]] * 5 + [[person(0.5)]] * 5

    assert ids(follow(*coming)) == [[1]] * 15


def test_a_head_and_a_body_found_apart_complete_one_person() -> None:
    apart = [person(0.5, body=False), person(0.5, head=False)]

    tracks = follow([person(0.5)], *[apart] * 10)

    assert ids(tracks) == [[1]] * 11
    assert tracks[-1].head_score[0] == tracks[-1].body_score[0] == np.float32(0.8)


def test_halves_that_turn_out_to_be_one_person_become_one() -> None:
    apart = [person(0.5, body=False), person(0.5, head=False)]

    tracks = follow(apart, *[[person(0.5)]] * 5, *[apart] * 5)

    assert ids(tracks)[0] == [1, 2]
    assert len(ids(tracks)[-1]) == 1


def test_a_body_not_seen_for_long_is_taken_up_anew() -> None:
    wrong = person(0.5) | {"body_box": [0.4, 0.2, 0.9, 1.0]}
    apart = [person(0.5, body=False), person(0.5, head=False)]

    tracks = follow([wrong], *[[person(0.5, body=False)]] * 30, *[apart] * 5, max_lost_s=2.0)

    assert ids(tracks) == [[1]] * 36
    assert tracks[-1].body_box[0] == pytest.approx([0.44, 0.2, 0.56, 0.8])


def test_somebody_lost_does_not_take_the_place_of_somebody_seen() -> None:
    """Two stand close; one is hidden for a second, then the other makes a step to where the one was."""
    both, hidden = [person(0.47), person(0.55)], [person(0.55)]

    tracks = follow(*[both] * 10, *[hidden] * 10, [person(0.51)])

    assert tracks[-1].track_id[tracks[-1].observed].tolist() == [2]


def test_a_hidden_body_is_reported_while_the_head_is_seen_for_coast_s() -> None:
    tracks = follow(*[[person(0.5)]] * 5, *[[person(0.5, body=False)]] * 10, coast_s=0.5)

    hidden = [bool(np.isnan(frame.body_box).all()) for frame in tracks]
    assert hidden == [False] * 10 + [True] * 5
    assert [frame.body_score[0] > 0 for frame in tracks] == [True] * 5 + [False] * 10


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
    tracks = follow([person(0.2)], [], [person(0.2, score=0.3)], high_score=0.5, new_score=0.5)

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
