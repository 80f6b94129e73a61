"""What is told of people adds up over time, fades, and is unknown where nothing was seen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from nodes.estimate_attributes import EstimateAttributes
from nodes.ops.wholebody import ATTRIBUTES, BODY, CRUTCHES, HEAD, WHEELCHAIR
from nodes.types import Attributes, TrackedParts
from tests.helpers import frames, make_node, run_node, table

UNKNOWN = math.nan


def body(track_id: int = 1, frame_row: int = 0, **scores: float) -> tuple[Any, ...]:
    """Return a row of a body of which attributes were seen."""
    return frame_row, track_id, BODY, 0.8, [scores.get(name.replace("-", "_"), 0) for name in ATTRIBUTES]


def aid(label: int, score: float, track_id: int = 1, frame_row: int = 0) -> tuple[Any, ...]:
    return frame_row, track_id, label, score, [0] * len(ATTRIBUTES)


def seen(*rows: tuple[Any, ...]) -> TrackedParts:
    rows = tuple(sorted(rows, key=lambda row: (row[0], row[2], -row[3])))
    return table(
        TrackedParts,
        frame_row=[row[0] for row in rows],
        track_id=[row[1] for row in rows],
        label=[row[2] for row in rows],
        score=[row[3] for row in rows],
        attribute_scores=[row[4] for row in rows],
    )


def answers(told: Attributes) -> list[tuple[float, ...]]:
    columns = (told.child_prob, told.female_prob, told.wheelchair_prob, told.crutches_prob)
    return [tuple(round(float(value), 4) for value in row) for row in zip(*columns, strict=True)]


def told_at(ticks: list[tuple[float, TrackedParts]], **config: Any) -> list[Attributes]:
    """Return what is told in frames at these seconds."""
    return run_node(make_node(EstimateAttributes, **config), [(frames(pts_s=[at]), parts) for at, parts in ticks])


def same(a: list[tuple[float, ...]], b: list[tuple[float, ...]]) -> None:
    np.testing.assert_allclose(a, b, atol=1e-4)


def test_the_first_frame_is_one_look_beside_the_prior() -> None:
    (told,) = told_at([(0, seen(body(adult=0.9, female=0.6)))])

    same(answers(told), [(0.5 / 1.9, 1.1 / 1.6, UNKNOWN, UNKNOWN)])
    assert (told.frame_row.tolist(), told.track_id.tolist()) == ([0], [1])


def test_evidence_of_looks_far_apart_adds_up_and_fades() -> None:
    _, told = told_at([(0, seen(body(adult=0.8))), (20, seen(body(child=0.9)))], look_s=1, forget_s=20)

    faded = 0.8 * math.exp(-1)
    same(answers(told), [((0.9 + 0.5) / (0.9 + faded + 1), UNKNOWN, UNKNOWN, UNKNOWN)])


def test_frames_close_to_each_other_count_as_part_of_a_look() -> None:
    close = told_at([(0, seen(body(adult=0.8))), (0.1, seen(body(child=0.8)))], look_s=1, forget_s=1000)[1]
    again = told_at([(0, seen(body(adult=0.8))), (0, seen(body(adult=0.8)))])

    share = 1 - math.exp(-0.1)
    old = 0.8 * math.exp(-0.0001)
    same(answers(close), [((0.8 * share + 0.5) / (0.8 * share + old + 1), UNKNOWN, UNKNOWN, UNKNOWN)])
    same(answers(again[0]), answers(again[1]))


def test_much_evidence_outweighs_single_mistakes_at_any_frame_rate() -> None:
    def after_much(step_s: float) -> float:
        ticks = [(at, seen(body(child=0.9))) for at in np.arange(0, 20, step_s)] + [(20, seen(body(adult=0.95)))]
        return float(told_at(ticks)[-1].child_prob[0])

    assert after_much(0.1) == pytest.approx(after_much(0.4), abs=0.05)
    assert after_much(0.1) > 0.85


def test_nothing_is_told_of_whom_nothing_was_seen() -> None:
    dim = seen(body(adult=0.29), body(2), aid(HEAD, 0.9, 3), aid(WHEELCHAIR, 0.29, 4))

    assert len(told_at([(0, dim)])[0]) == 0
    assert len(told_at([(0, TrackedParts.empty())])[0]) == 0
    assert len(told_at([(0, seen(body(0, adult=0.9)))])[0]) == 0


def test_a_wheelchair_is_unknown_until_seen_and_then_speaks_for_itself_as_its_absence_does() -> None:
    apart = {"look_s": 1e-3, "forget_s": 1e9, "prior": 1.0, "missed": 0.5}
    ticks = [
        (0, seen(body(adult=0.9))),
        (1, seen(body(adult=0.9), aid(WHEELCHAIR, 0.9))),
        (2, seen(body(adult=0.9))),
        (3, seen(aid(CRUTCHES, 0.7), aid(WHEELCHAIR, 0.6))),
    ]

    told = [answers(one)[0] for one in told_at(ticks, **apart)]

    against = 0.5 * 0.8  # twice: before it was seen, and after
    same([told[0][2:], told[1][2:]], [(UNKNOWN, UNKNOWN), (1.4 / (1.9 + against), UNKNOWN)])
    same([told[2][2:]], [(1.4 / (1.9 + 2 * against), UNKNOWN)])
    same([told[3][2:]], [(2.0 / (2.5 + 2 * against), 1.2 / (1.7 + 3 * against))])


def test_what_was_seen_is_told_while_the_body_shows_nothing() -> None:
    _, told = told_at([(0, seen(body(male=0.9))), (0.5, seen(body()))], forget_s=1e9)

    same(answers(told), [(UNKNOWN, 0.5 / 1.9, UNKNOWN, UNKNOWN)])


def test_who_is_out_of_sight_for_long_is_forgotten() -> None:
    ticks = [(0, seen(body(male=0.9))), (31, seen(body())), (31.1, seen(body(female=0.9)))]

    _, nothing, anew = told_at(ticks, forget_s=30)

    assert len(nothing) == 0
    assert float(anew.female_prob[0]) > 0.5


def test_streams_generations_and_tracks_are_apart() -> None:
    shown = frames(stream=("shop", "door", "shop"), pts_s=[0, 0, 1], generation=[0, 0, 1])
    rows = (body(1, 0, male=0.9), body(2, 0, female=0.9), body(1, 1, child=0.9), body(1, 2, adult=0.9))
    node = make_node(EstimateAttributes)

    told, after = run_node(node, [(shown, seen(*rows)), (frames(stream="door", pts_s=[1]), seen(body(1)))])

    assert list(zip(told.frame_row.tolist(), told.track_id.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 1), (2, 1)]
    low, high = 0.5 / 1.9, 1.4 / 1.9
    wanted = [(UNKNOWN, low), (UNKNOWN, high), (high, UNKNOWN), (low, UNKNOWN)]
    same([row[:2] for row in answers(told)], wanted)
    assert answers(after)[0][0] > 0.7


def test_a_stream_that_ended_leaves_nothing() -> None:
    node = make_node(EstimateAttributes)
    node.open()
    node.process(frames(), seen(body(male=0.9)))

    node.stream_ended("shop")

    assert len(node.process(frames(start_s=1), seen(body()))) == 0
