from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from nodes.measure_attention import Config, MeasureAttention
from nodes.types import Measures, Tracks, Visits
from pipeline.frames import FrameBatch
from pipeline.values import concat, equal
from tests.helpers import frames, make_node, run_node, table

S = 10**9
AREAS = {"shop": {"aois": {"tea": [[0, 0], [1, 0], [1, 1]], "cocoa": [[0, 0], [1, 0], [1, 1]]}}}
Tick = tuple[FrameBatch, Tracks, Visits]


def node(**config: Any) -> MeasureAttention:
    return make_node(MeasureAttention, **{"window_s": 10, "settle_s": 0, **config})


def seen(*rows: tuple[int, int], observed: bool = True, **columns: Any) -> Tracks:
    """Return tracks from (frame_row, track_id)."""
    rest = {name: [value] * len(rows) for name, value in columns.items()}
    given = {"frame_row": [row for row, _ in rows], "track_id": [track for _, track in rows], **rest}
    return table(Tracks, **given, observed=[observed] * len(rows))


def visits(*rows: tuple[str, int, str, float, float], known_s: float | None = None, **columns: Any) -> Visits:
    """Return visits from (kind, track_id, target, start, end), known at their end unless said."""
    kind, track, target, start, end = zip(*rows, strict=True)
    ns = {"start_ns": start, "end_ns": end, "known_ns": end if known_s is None else [known_s] * len(rows)}
    ns["dwell_ns"] = [b - a for a, b in zip(start, end, strict=True)]
    times = {name: [round(seconds * S) for seconds in values] for name, values in ns.items()}
    given = {"stream_id": "shop", **columns}
    ids = [f"{a}/{b}/{c}" for a, b, c in zip(track, target, start, strict=True)]
    rest = {"visit": ids} | {name: [value] * len(rows) for name, value in given.items()}
    return table(Visits, kind=kind, track_id=track, target=target, **times, **rest)


def clip(first_s: int, last_s: int, looks: Visits | None = None, **options: Any) -> Tick:
    """Return a frame a second, in each of which track 1 is seen."""
    shown = frames(last_s - first_s, start_s=first_s, step_s=1, **{"config": AREAS, **options})
    return shown, seen(*[(row, 1) for row in range(len(shown))]), looks or Visits.empty()


def told(measures: Measures) -> list[str]:
    """Return the reports, a line each."""
    columns = zip(
        measures.span,
        (measures.window_start_ns / S).tolist(),
        (measures.window_end_ns / S).tolist(),
        measures.revision.tolist(),
        (measures.known_ns / S).tolist(),
        strict=True,
    )
    return list(dict.fromkeys(f"{span} {a:g}-{b:g} r{n} @{known:g}" for span, a, b, n, known in columns))


def value(measures: Measures, measure: str, target: str = "", to: str = "") -> list[float]:
    wanted = (measure, target, to)
    names = zip(measures.measure, measures.target, measures.to, strict=True)
    return [measures.value[row].item() for row, name in enumerate(names) if name == wanted]


def test_windows_are_reported_when_they_are_over_and_the_rest_at_the_end() -> None:
    during, after = run_node(node(), [clip(0, 25)], ["shop"])

    assert told(during) == ["window 0-10 r0 @10", "window 10-20 r0 @20"]
    assert told(after) == ["window 20-30 r0 @25", "whole 0-25 r0 @25"]
    assert value(concat([during, after]), "covered_s.1") == [10, 10, 5, 25]


def test_a_row_says_everything() -> None:
    config = {"shop": {**AREAS["shop"], "start_time": "2024-05-01T12:00:03+02:00"}}

    during, after = run_node(node(), [clip(5, 20, generation=2, config=config)], ["shop"])

    both = concat([during, after])
    assert set(both.stream_id) == {"shop"}
    assert set(both.generation.tolist()) == {2}
    assert told(both) == ["window -3-7 r0 @7", "window 7-17 r0 @17", "window 17-27 r0 @20", "whole 5-20 r0 @20"]
    assert dict.fromkeys(both.sequence.tolist()) == dict.fromkeys([0, 1, 2, 3])
    assert set(both.start_time_ns.tolist()) == {1_714_557_603 * S}


def test_measures_of_a_small_scene() -> None:
    looks = visits(
        ("ended", 1, "tea", 2, 4), ("ended", 1, "cocoa", 5, 6), ("ended", 2, "tea", 7, 8), known_s=9, fixations=1
    )
    shown, people, looks = clip(0, 10, looks)
    people = concat([people, seen((6, 2), (7, 2), (8, 2))])
    people = people.take(np.argsort(people.frame_row, kind="stable"))

    (_, made) = run_node(node(window_s=0), [(shown, people, looks)], ["shop"])

    stream = {name: value(made, name) for name in ("ots.1", "watchers.1", "conversion.1", "attention_s.1")}
    assert stream == {"ots.1": [2], "watchers.1": [2], "conversion.1": [1], "attention_s.1": [4]}
    assert (value(made, "watchers.1", "tea"), value(made, "watchers.1", "cocoa")) == ([2], [1])
    assert (value(made, "presence_s.1", "tea"), value(made, "presence_s.1", "cocoa")) == ([13], [10])
    assert (value(made, "first_look_mean_s.1", "tea"), value(made, "first_look_share.1", "tea")) == ([1.5], [1])
    assert value(made, "transitions.1", "tea", "cocoa") == [1]


def test_areas_that_nobody_looked_at_are_reported_and_nothing_else_is() -> None:
    looks = visits(("ended", 1, "person:2", 2, 4), ("ended", 1, "object:bottle:3", 2, 4))

    (_, made) = run_node(node(window_s=0), [clip(0, 9, looks)], ["shop"])

    assert list(dict.fromkeys(made.target)) == ["", "cocoa", "object:bottle:*", "person:*", "tea"]
    assert (value(made, "visits.1", "tea"), value(made, "visits.1", "person:*")) == ([0], [1])


def test_people_who_are_only_expected_are_not_in_view() -> None:
    shown, _, looks = clip(0, 9, visits(("ended", 1, "tea", 2, 4)))
    ghosts = seen(*[(row, 1) for row in range(9)], observed=False)

    (_, made) = run_node(node(window_s=0), [(shown, ghosts, looks)], ["shop"])

    assert value(made, "presence_s.1", "tea") == [0]


def test_a_corrected_identity_corrects_presence() -> None:
    shown, people, looks = clip(0, 9, visits(("ended", 1, "tea", 2, 4), ("ended", 2, "tea", 5, 6)))
    merged = replace(
        people.take([8]), track_id=np.array([2]), taken_from=np.array([1]), taken_since_ns=np.array([3 * S])
    )

    (_, made) = run_node(node(window_s=0), [(shown, concat([people.take(np.arange(8)), merged]), looks)], ["shop"])

    assert value(made, "presence_s.1", "tea") == [9]  # 3 s of track 1 and 6 s of track 2
    assert value(made, "first_look_mean_s.1", "tea") == [2]


def test_streams_do_not_mix() -> None:
    both = frames(8, stream=["bar", "shop"] * 4, pts_s=[0, 0, 1, 1, 2, 2, 3, 3], config=AREAS)
    looks = concat([visits(("ended", 1, "tea", 0, 1)), visits(("ended", 1, "cocoa", 0, 2), stream_id="bar")])

    _, bar, shop = run_node(node(window_s=0), [(both, Tracks.empty(), looks)], ["bar", "shop"])

    assert (set(bar.stream_id), set(shop.stream_id)) == ({"bar"}, {"shop"})
    assert (value(bar, "visits.1", "cocoa"), value(bar, "visits.1", "tea")) == ([1], [])
    assert (value(shop, "visits.1", "cocoa"), value(shop, "visits.1", "tea")) == ([0], [1])


def test_a_new_generation_ends_the_one_before_and_numbers_begin_anew() -> None:
    generations = [clip(0, 5, generation=0), clip(0, 5, visits(("ended", 1, "tea", 3, 5)), generation=1)]

    first, second, after = run_node(node(window_s=0), generations, ["shop"])

    assert equal(first, Measures.empty())
    assert (value(second, "visits.1", "tea"), value(after, "visits.1", "tea")) == ([1], [0])
    assert (set(second.generation.tolist()), set(after.generation.tolist())) == ({0}, {1})
    assert (set(second.sequence.tolist()), set(after.sequence.tolist())) == ({0}, {0})


def test_what_becomes_known_at_the_end_of_a_stream_counts() -> None:
    end = (frames(0, config=AREAS), Tracks.empty(), visits(("ended", 1, "tea", 3, 5)))

    _, _, after = run_node(node(window_s=0), [clip(0, 5), end], ["shop"])

    assert (value(after, "visits.1", "tea"), value(after, "looking_now.1", "tea")) == ([1], [1])


def test_visits_of_streams_that_were_never_seen_are_nothing_to_measure() -> None:
    made = run_node(node(), [(frames(0), Tracks.empty(), visits(("ended", 1, "tea", 3, 5)))], ["shop"])

    assert all(equal(one, Measures.empty()) for one in made)


def test_what_comes_too_late_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    late = [
        visits((kind, 1, "tea", 1, 2), known_s=59, visit=name) for kind, name in [("ended", "v"), ("retracted", "w")]
    ]

    run_node(node(repair_s=5), [clip(0, 60, concat(late))])

    assert caplog.messages == [
        "stream shop: v became known more than repair_s after its time: measures of windows that were reported stay as "
        "they were; raise repair_s of measure_attention above that of what reads the tracks"
    ]


def test_a_window_must_last() -> None:
    with pytest.raises(ValidationError, match=r"a window is 0.1 s or longer, or 0 for none, got 0.05"):
        Config(window_s=0.05)
