from pathlib import Path

import pytest

from benchmarks import bus, bus_disk
from nodes.ops import cloud_events
from pipeline.errors import PipelineError


def test_events_that_arrive_and_are_kept_are_counted(tmp_path: Path) -> None:
    offers = [bus.messages(bus.visits(first)) for first in (0, 20, 40)]

    run = bus.publish(offers, tmp_path, log=True, encrypted=True)

    assert run.events_per_s > 0 and run.publisher_cpu_us > 0 and run.subscriber_cpu_us > 0


def test_commits_alone_are_timed(tmp_path: Path) -> None:
    assert bus_disk.committed_per_s([bus.messages(bus.visits(first)) for first in (0, 20)], tmp_path) > 0


def test_ticks_are_timed(tmp_path: Path) -> None:
    took_ms = bus.ticks_ms(tmp_path, 3)

    assert len(took_ms) == 3 and min(took_ms) > 0


def test_events_have_the_size_and_form_of_real_ones() -> None:
    made = bus.messages(bus.visits(40))

    events = [cloud_events.decode(message.data) for message in made]
    assert [event.sequence for event in events] == [f"0000000000.{number:010d}" for number in range(40, 60)]
    assert {event.type for event in events} == {"io.gazegraph.look.updated"}
    assert len({event.id for event in events}) == 20
    assert {len(message.data) // 100 for message in made} == {6}


def test_what_is_missing_makes_figures_void() -> None:
    with pytest.raises(PipelineError) as error:
        bus.check("the log", {"count": 3, "checksum": "a", "more": 1}, {"count": 4, "checksum": "a"})

    assert str(error.value) == (
        "the log: expected {'count': 4, 'checksum': 'a'}, got {'count': 3, 'checksum': 'a'}; the figures would be void"
    )
