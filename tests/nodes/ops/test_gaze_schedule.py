from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from nodes.ops.gaze_schedule import GazeSchedule, Heads, Rules, moved

CALM = Rules(
    max_age_s=0.6,
    max_move=0.3,
    max_turn=0.4,
    unsettled=0.0,
    rest_s=0.1,
    hold_s=5.0,
    heads_per_s=math.inf,
    max_heads=100,
)
FRONT, SIDE = np.eye(8)[0], np.eye(8)[2]


def head(*track_id: int, left: float = 0.4, size: float = 0.1, facing: np.ndarray = FRONT) -> Heads:
    """Return heads of one frame, alike but for their tracks and scores: of the first most."""
    count = len(track_id)
    box = np.array([left, 0.2, left + size, 0.2 + size])
    return Heads(np.array(track_id), np.tile(box, (count, 1)), np.tile(facing, (count, 1)), 1 - np.arange(count) / 100)


def hill(cell: int) -> np.ndarray:
    made = np.zeros((2, 2), np.float32)
    made.flat[cell] = 0.5
    return made


def run(
    rules: Rules,
    fps: float,
    seconds: float,
    at: Callable[[float], Heads],
    answer: Callable[[float], np.ndarray] = lambda _: hill(0),
) -> list[tuple[float, list[int]]]:
    """Return when which tracks were asked about, for heads and maps as functions of time."""
    schedule, found = GazeSchedule(), []
    for number in range(round(seconds * fps)):
        now = number / fps
        ask(schedule, now, at(now), rules, answer(now), found)
    return found


def ask(
    schedule: GazeSchedule,
    now: float,
    heads: Heads,
    rules: Rules,
    heatmap: np.ndarray | None = None,
    found: list[tuple[float, list[int]]] | None = None,
) -> list[int]:
    """Take one frame, with the same map for all heads; return who was asked about."""
    pts_ns = round(now * 1e9)
    asked = schedule.choose(pts_ns, heads, rules)
    rows = np.flatnonzero(asked)
    tracks = heads.track_id[rows].tolist()
    if tracks:
        for track_id in tracks:
            answer = schedule.answer(track_id)
            assert answer is not None
            told = hill(0) if heatmap is None else heatmap
            answer.hear(told, 1.0, float(moved([answer], told[None])[0]))
        if found is not None:
            found.append((round(now, 3), tracks))
    return tracks


def longest_wait(found: list[tuple[float, list[int]]], crowd: tuple[int, ...], seconds: float) -> float:
    """Return for how long any head of a crowd was not asked about, at the longest."""
    when = {track: [0.0, *(time for time, tracks in found if track in tracks), seconds] for track in crowd}
    return max(float(np.diff(times).max()) for times in when.values())


@pytest.mark.parametrize("fps", [5, 12.5, 30, 60])
def test_a_calm_head_is_asked_about_at_once_and_then_as_seldom_as_allowed(fps: float) -> None:
    asked = [time for time, _ in run(CALM, fps, 6, lambda _: head(1))]

    assert asked[0] == 0
    assert np.diff(asked) == pytest.approx(math.ceil(0.6 * fps) / fps, abs=2e-3)


def test_times_rounded_to_milliseconds_do_not_cost_a_frame() -> None:
    schedule = GazeSchedule()
    turned = [head(1, facing=facing) for facing in (FRONT, SIDE, FRONT)]
    ask(schedule, 0.0, turned[0], CALM)

    assert ask(schedule, 0.0999, turned[1], CALM) == [1]
    assert ask(schedule, 0.1985, turned[2], CALM) == []


@pytest.mark.parametrize(
    "other",
    [
        head(1, left=0.431),
        head(1, size=0.131),
        head(1, facing=SIDE),
        head(1, facing=0.59 * FRONT + 0.41 * SIDE),
        head(1, facing=0 * FRONT),
    ],
    ids=["moves", "grows", "turns", "begins to turn", "no longer tells where it faces"],
)
def test_a_head_that_changes_is_asked_about_at_once(other: Heads) -> None:
    found = run(CALM, 20, 0.5, lambda now: head(1) if now < 0.3 else other)

    assert [time for time, _ in found] == [0, 0.3]


@pytest.mark.parametrize(
    "other",
    [head(1, left=0.429), head(1, size=0.129), head(1, facing=0.61 * FRONT + 0.39 * SIDE), head(1, facing=9 * FRONT)],
    ids=["hardly moves", "hardly grows", "hardly turns", "is seen better"],
)
def test_a_head_that_hardly_changes_is_not(other: Heads) -> None:
    found = run(replace(CALM, max_age_s=100), 20, 0.5, lambda now: head(1) if now < 0.3 else other)

    assert [time for time, _ in found] == [0]


def test_a_head_that_never_tells_where_it_faces_is_a_calm_one() -> None:
    found = run(replace(CALM, max_age_s=100), 20, 0.5, lambda _: head(1, facing=0 * FRONT))

    assert [time for time, _ in found] == [0]


def test_a_head_that_keeps_moving_is_asked_about_once_a_rest_at_any_frame_rate() -> None:
    rules = replace(CALM, rest_s=0.2)

    counts = [len(run(rules, fps, 4, lambda now: head(1, left=now * 0.2))) for fps in (5, 30, 60)]

    assert counts == [20, 20, 20]


def test_a_head_whose_gaze_wanders_is_asked_about_sooner() -> None:
    rules = replace(CALM, unsettled=1.0)

    found = run(rules, 20, 1.6, lambda _: head(1), lambda now: hill(0 if now < 0.5 else 1))

    # the second map differs altogether from the first, the third not at all from the second
    assert [time for time, _ in found] == [0, 0.6, 0.9, 1.5]


def test_heads_are_asked_about_together() -> None:
    late = [head(1), head(1, 2)]

    found = run(CALM, 20, 2, lambda now: late[now >= 0.35])

    # when the second appears, the first is half due and joins
    assert found == [(0, [1]), (0.35, [1, 2]), (0.95, [1, 2]), (1.55, [1, 2])]


def test_who_appears_is_asked_about_though_the_model_rests() -> None:
    found = run(replace(CALM, rest_s=1.0), 20, 0.5, lambda now: head(1) if now < 0.2 else head(1, 2))

    assert found == [(0, [1]), (0.2, [2])]


@pytest.mark.parametrize("fps", [5, 25, 60])
def test_a_crowd_costs_what_the_budget_allows_and_nobody_starves(fps: float) -> None:
    rules = replace(CALM, heads_per_s=30.0)
    crowd = tuple(range(1, 31))

    found = run(rules, fps, 10, lambda now: head(*crowd, left=0.2 + 0.05 * now))

    asked = np.concatenate([tracks for _, tracks in found])
    assert 15 + 30 * 9 <= len(asked) <= 15 + 30 * 10  # what was saved up at the beginning, and ten seconds
    assert longest_wait(found, crowd, 10) <= 1.5


def test_who_keeps_still_gets_a_turn_among_those_who_move() -> None:
    rules = replace(CALM, heads_per_s=10.0, hold_s=100.0)
    crowd = tuple(range(1, 31))

    def at(now: float) -> Heads:
        heads = head(*crowd)
        moving = heads.track_id > 5
        return replace(heads, box=heads.box + 0.4 * now * moving[:, None])

    found = run(rules, 25, 20, at)

    assert longest_wait(found, crowd, 20) <= 30 / 10 + 2 * 0.6 + 0.2


def test_nobody_starves_where_maps_do_not_even_last_until_the_next_turn() -> None:
    rules = replace(CALM, heads_per_s=2.0, hold_s=0.5, rest_s=0.0)

    found = run(rules, 10, 20, lambda _: head(1, 2, 3, 4, 5))

    assert longest_wait(found, (1, 2, 3, 4, 5), 20) <= 3


def test_a_frame_has_a_limit_of_its_own() -> None:
    found = run(replace(CALM, max_heads=2), 10, 0.3, lambda _: head(1, 2, 3))

    assert found == [(0, [1, 2]), (0.1, [3])]


def test_answers_last_as_long_as_they_are_held() -> None:
    schedule, rules = GazeSchedule(), replace(CALM, hold_s=1.0, heads_per_s=0.1)
    ask(schedule, 0.0, head(1), rules)

    stands_in = []
    for now in (0.5, 1.0, 1.1):
        assert ask(schedule, now, head(1), rules) == []
        stands_in.append(schedule.answer(1) is not None)

    assert stands_in == [True, True, False]


def test_whoever_comes_back_after_that_is_new() -> None:
    schedule, rules = GazeSchedule(), replace(CALM, hold_s=1.0, rest_s=10.0)
    ask(schedule, 0.0, head(1), rules)

    assert ask(schedule, 1.1, head(1), rules) == [1]


def test_by_the_rules_of_every_frame_everybody_is_asked_about_in_each() -> None:
    found = run(Rules.every_frame(max_heads=100, hold_s=2.0), 25, 0.2, lambda _: head(1, 2))

    assert found == [(round(k / 25, 3), [1, 2]) for k in range(5)]


def test_a_merge_takes_the_answer_over() -> None:
    schedule = asked_about({3: 0.0})

    schedule.correct([(7, 3, 0)])

    assert asked_ns(schedule, 3, 7) == [None, 0]


def test_of_two_answers_the_newer_stays() -> None:
    schedule = asked_about({3: 0.0, 7: 0.2, 8: 0.0, 9: 0.2})

    schedule.correct([(7, 3, 0), (8, 9, 0)])

    assert asked_ns(schedule, 3, 7, 8, 9) == [None, 200_000_000, 200_000_000, None]


def test_what_was_asked_before_a_split_stays() -> None:
    schedule = asked_about({3: 0.0})

    schedule.correct([(7, 3, 1)])

    assert asked_ns(schedule, 3, 7) == [0, None]


def test_two_tracks_may_be_exchanged() -> None:
    schedule = asked_about({3: 0.0, 7: 0.2})

    schedule.correct([(7, 3, 0), (3, 7, 0)])

    assert asked_ns(schedule, 3, 7) == [200_000_000, 0]


def asked_about(times: dict[int, float]) -> GazeSchedule:
    """Return a schedule in which tracks were asked about at some times."""
    schedule = GazeSchedule()
    for track_id, now in sorted(times.items(), key=lambda item: item[1]):
        ask(schedule, now, head(track_id), CALM)
    return schedule


def asked_ns(schedule: GazeSchedule, *track_ids: int) -> list[int | None]:
    answers = [schedule.answer(track_id) for track_id in track_ids]
    return [None if answer is None else answer.asked_ns for answer in answers]


def test_a_budget_holds_after_one_without_bound_even_if_a_frame_came_twice() -> None:
    crowd, schedule = head(*range(1, 31)), GazeSchedule()
    for now in (0.0, 0.04, 0.04, 0.08):
        ask(schedule, now, crowd, Rules.every_frame(100, 5.0))

    asked = [ask(schedule, 0.2 * k, crowd, replace(CALM, heads_per_s=10.0, max_age_s=0.1)) for k in range(1, 11)]

    assert sum(map(len, asked)) <= 5 + 10 * 2
