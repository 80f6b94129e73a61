"""Visits are repaired when tracks say who was who; any batches give the same; nothing is kept for ever."""

import gc
from dataclasses import replace
from itertools import pairwise
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nodes.types import Tracks
from pipeline.values import concat, equal
from tests.helpers import frames, run_node
from tests.nodes.look_clips import clip, hits, node, tracks


def test_visits_are_repaired_when_tracks_say_who_was_who() -> None:
    """Track 3 ends; 8 begins a little later, and turns out to be 3; what was told of both is told anew of 3."""
    batch = frames(16, step_s=0.1)
    looks = hits(*[(row, 3, "tea") for row in range(4)], *[(row, 8, "tea") for row in range(6, 12)])
    who = tracks(*[(row, 3, 0, 0) for row in range(4)], *[(row, 8, 0, 0) for row in range(6, 12)], (12, 3, 8, 0.0))

    during, after = run_node(node(max_gap_s=0.4), [(batch, looks, who)], ["shop"])

    both = concat([during, after])
    first, second, whole = "shop/0/3/tea/0", "shop/0/8/tea/600000000", "shop/0/3/tea/0~1"
    assert list(zip(both.id, both.reason, both.replaces, strict=True)) == [
        (f"{first}/started", "", ""),
        (f"{first}/ended", "looked_away", ""),
        (f"{second}/started", "", ""),
        (f"{first}/retracted", "identity", ""),
        (f"{second}/retracted", "identity", ""),
        (f"{whole}/started", "", f"{first}\n{second}"),
        (f"{whole}/ended", "stream_ended", f"{first}\n{second}"),
    ]
    assert both.sequence.tolist() == list(range(7))
    assert after.dwell_ns.tolist() == [1_000_000_000]


def test_corrections_are_of_their_stream() -> None:
    batch = frames(10, stream=["bar", "shop"] * 5, pts_s=np.repeat(np.arange(5) * 0.1, 2).tolist())
    looks = hits(*[(row, 1, "tea") for row in range(8)])

    during, bar, shop = run_node(node(), [(batch, looks, tracks((8, 1, 0, 0), (9, 2, 1, 0.0)))], ["bar", "shop"])

    assert (bar.track_id.tolist(), shop.track_id.tolist()) == ([1], [2])
    assert [name for name, why in zip(during.stream_id, during.reason, strict=True) if why == "identity"] == ["shop"]


def test_how_far_back_is_set_by_repair_s() -> None:
    batch, looks = clip("tttt" + "." * 9)
    who = tracks((12, 5, 3, 0.0))

    near, far = (concat(run_node(node(repair_s=s), [(batch, looks, who)], ["shop"])) for s in (0.5, 2))

    assert near.track_id.tolist() == [3, 3]
    assert far.kind == ("started", "ended", "retracted", "started", "ended")


def test_without_tracks_identities_are_taken_as_they_come() -> None:
    batch, looks = clip("tttt" + "." * 9)

    with_tracks, without = (run_node(node(), [(batch, looks, *more)], ["shop"]) for more in ((Tracks.empty(),), ()))

    assert all(equal(a, b) for a, b in zip(with_tracks, without, strict=True))


@given(
    st.text("tcb....", max_size=60),
    st.lists(st.integers(0, 60), max_size=5),
    st.lists(st.tuples(st.integers(0, 59), st.sampled_from([(4, 3), (3, 4), (5, 4)]), st.integers(0, 60)), max_size=4),
)
def test_any_cut_into_batches_gives_the_same_events(
    table: str, cuts: list[int], corrections: list[tuple[int, tuple[int, int], int]]
) -> None:
    batch, looks = clip(table)
    who = tracks(*sorted((row, b, a, since / 10) for row, (b, a), since in corrections if row < len(batch)))
    edges = [0, *sorted(min(cut, len(batch)) for cut in cuts), len(batch)]
    ticks = []
    for first, last in pairwise(edges):
        parts = [part.take((part.frame_row >= first) & (part.frame_row < last)) for part in (looks, who)]
        moved = [replace(part, frame_row=part.frame_row - first) for part in parts]
        ticks.append((batch.take(np.arange(first, last)), *moved))

    whole = concat(run_node(node(), [(batch, looks, who)], ["shop"]))
    parts = concat(run_node(node(), ticks, ["shop"]))

    assert equal(whole, parts)
    assert whole.sequence.tolist() == list(range(len(whole)))
    assert len(set(whole.id)) == len(whole)


def test_many_people_who_come_and_go_leave_nothing() -> None:
    made = node(repair_s=2.0)
    made.open()
    sizes = []
    for index in range(600):
        person = index // 4 + 1
        who = tracks((0, person + 5000, person - 1, 0.0)) if index % 8 == 5 else tracks((0, person, 0, 0.0))
        made.process(frames(1, start_s=index / 10), hits((0, person, "tea"), (0, person, f"person:{person + 1}")), who)
        sizes.append(_reachable(made._streams))

    assert max(sizes[-100:]) <= max(sizes[100:200]) + 5


def _reachable(start: Any) -> int:
    """Count the objects that can be reached and that are of this node's making."""
    seen, todo = set(), [start]
    while todo:
        one = todo.pop()
        if id(one) not in seen and not isinstance(one, type | ModuleType | FunctionType):
            seen.add(id(one))
            todo += gc.get_referents(one)
    return len(seen)
