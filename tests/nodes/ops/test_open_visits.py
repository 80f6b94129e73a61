"""Visits that nobody ended: which they are, by what was written and by what a log says, and how they end."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from nodes.ops import cloud_events
from nodes.ops.cloud_events import LookEvent
from nodes.ops.open_visits import OpenVisits, heads, last_count
from nodes.types import Visits
from tests.helpers import table

Told = tuple[str, str]
"""Kind and visit."""


def told(*events: Told, generation: int = 0, first: int = 0) -> list[tuple[LookEvent, bytes]]:
    """Return events of one generation, counted from `first`, with their bytes."""
    count = len(events)
    looks = table(
        Visits,
        id=[f"{visit}/{kind}" for kind, visit in events],
        visit=[visit for _, visit in events],
        kind=[kind for kind, _ in events],
        stream_id=["shop"] * count,
        generation=[generation] * count,
        track_id=[1] * count,
        target=["tea"] * count,
        sequence=range(first, first + count),
        end_ns=range(first, first + count),
    )
    made = cloud_events.events(looks, {"shop": ("retail", {}, "0" * 12)})
    return [(event, cloud_events.encode(event)) for event in made]


def lines(*parts: list[tuple[LookEvent, bytes]]) -> list[bytes]:
    """Return the lines of a log, the last one first."""
    return [encoded for part in parts for _, encoded in part][::-1]


def noted(events: list[tuple[LookEvent, bytes]]) -> OpenVisits:
    visits = OpenVisits()
    for event, encoded in events:
        visits.note(event, encoded)
    return visits


def ends(visits: OpenVisits, generation: int) -> list[tuple[str, str, int, str]]:
    """Return visit, sequence, nanosecond of the last look, and reason of the events that end visits."""
    return [
        (e.data.visit, e.sequence, round(e.data.end_s * 1e9), e.data.reason) for e, _ in visits.interrupted(generation)
    ]


MIXED = [
    ("started", "a"), ("started", "b"), ("started", "c"), ("updated", "a"), ("ended", "c"), ("started", "d"),
    ("retracted", "d"), ("retracted", "c"), ("started", "e"),
]  # fmt: skip
OPEN_AFTER_MIXED = [
    ("b", "0000000003.0000000009", 1, "interrupted"),
    ("a", "0000000003.0000000010", 3, "interrupted"),
    ("e", "0000000003.0000000011", 8, "interrupted"),
]


@pytest.mark.parametrize("cut", range(len(MIXED) + 1))
def test_a_log_and_what_was_written_tell_the_same_visits(cut: int) -> None:
    events = told(*MIXED[:cut], generation=3)

    assert ends(OpenVisits.of_log(lines(events)), 4) == ends(noted(events), 4)
    assert len(noted(events)) == len(ends(noted(events), 4))


def test_open_visits_end_in_the_order_of_their_last_events_and_are_counted_on() -> None:
    visits = noted(told(*MIXED, generation=3))

    assert ends(visits, 4) == OPEN_AFTER_MIXED
    event, encoded = visits.interrupted(4)[0]
    assert json.loads(encoded)["id"] == "b/ended" and cloud_events.decode(encoded) == event


def test_visits_of_this_generation_and_later_ones_go_on() -> None:
    visits = noted(told(*MIXED, generation=3))

    assert ends(visits, 3) == ends(visits, 2) == []


def test_ends_that_were_written_are_not_written_again() -> None:
    visits = noted(told(*MIXED, generation=3))

    first, *_ = visits.interrupted(4)
    visits.note(*first)

    assert ends(visits, 4) == OPEN_AFTER_MIXED[1:]


def test_visits_of_several_generations_are_counted_on_each_in_its_own() -> None:
    visits = noted([*told(("started", "a"), generation=1), *told(("started", "b"), generation=2, first=7)])

    both = [("a", "0000000001.0000000001", 0, "interrupted"), ("b", "0000000002.0000000008", 7, "interrupted")]
    assert ends(visits, 2) == both[:1]
    assert ends(visits, 3) == both
    visits.forget(3)
    assert ends(visits, 3) == []


def test_a_log_is_read_to_the_beginning_of_its_last_generation_and_no_further() -> None:
    log = lines(told(("started", "old")), told(("started", "a"), ("ended", "a"), ("started", "b"), generation=5))
    read: list[bytes] = []

    def reading() -> Iterator[bytes]:
        for line in [*log, b"not read"]:
            read.append(line)
            yield line

    visits = OpenVisits.of_log(reading())

    assert [end[0] for end in ends(visits, 6)] == ["b"]
    assert visits.newest and visits.newest.generation == 5 and visits.newest.count == 2
    assert read == log


def test_an_empty_log_leaves_nothing_open() -> None:
    visits = OpenVisits.of_log([])

    assert (len(visits), visits.newest, ends(visits, 10)) == (0, None, [])


def test_ends_written_only_in_part_are_gone_on_with() -> None:
    events = told(*MIXED, generation=3)
    done = noted(events).interrupted(4)[:2]

    assert ends(OpenVisits.of_log(lines(events, done)), 4) == OPEN_AFTER_MIXED[2:]


def test_lines_that_are_no_events_are_left_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    (event,) = told(("started", "a"))
    whole = event[1]
    other = json.dumps({"type": "gazegraph.look.started", "sequence": "000000.0000000001", "data": {}}).encode()

    found = [line for _, line in heads([b"hello", other, whole, b"\xff"])]

    assert found == [whole]
    assert caplog.messages == ["expected events in the log, got b'hello'; it stays as it is"]


def test_an_event_that_cannot_be_read_whole_is_not_ended(caplog: pytest.LogCaptureFixture) -> None:
    (event,) = told(("started", "a"))
    strange = event[1].replace(b'"track":1', b'"track":0')

    visits = OpenVisits.of_log([strange])

    assert ends(visits, 9) == []
    assert caplog.messages == [f"expected events in the log, got {strange[:200]!r}; it stays as it is"]


def test_the_last_count_of_a_generation_is_found_in_a_log() -> None:
    log = lines(
        told(*[("started", "a")] * 3), told(("started", "b"), generation=4), told(("started", "c"), generation=6)
    )

    assert [last_count(log, generation) for generation in (0, 1, 4, 5, 6, 7)] == [2, -1, 0, -1, 0, -1]
    assert last_count([], 0) == -1
    unread = iter([*log[:2], b"not read"])
    assert last_count(unread, 5) == -1 and next(unread) == b"not read"
