"""Messages read from a log: by position, by topic, by id, by time."""

from pathlib import Path

import pytest

from pipeline.bus import log_reader
from pipeline.bus.log_faults import LogFault
from tests.pipeline.bus.stories import message, open_log

HOUR_NS = 3600 * 10**9


def test_messages_are_read_after_a_position_below_a_topic_and_no_more_than_asked_for(path: Path) -> None:
    log = open_log(path)
    log.append([message(k, track=1 + k % 3) for k in range(6)] + [message(0, stream="door")], 0)
    reader = log.reader

    some, upto = reader.events(0, "", 4)
    rest, end = reader.events(upto, "", 4)
    below, below_upto = reader.events(1, "look/shop/1/", 9)
    nothing, nothing_upto = reader.events(0, "look/shop/10/", 9)
    beyond, beyond_upto = reader.events(10**18, "", 9)
    log.close()

    assert ([one.position for one in some], upto) == ([1, 2, 3, 4], 4)
    assert ([one.position for one in rest], end) == ([5, 6, 7], 7)
    assert ([one.position for one in below], below_upto) == ([4], 7)
    assert (nothing, nothing_upto, beyond, beyond_upto) == ([], 7, [], 7)


def test_a_reading_ends_early_where_messages_are_large(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "REPLY_BYTES", 5000)
    log = open_log(path)
    log.append([message(k, data=b"x" * 3000) for k in range(3)], 0)

    found, upto = log.reader.events(0, "", 9)

    log.close()
    assert (len(found), upto) == (2, 2)


def test_messages_are_found_by_id_and_by_time(path: Path) -> None:
    log = open_log(path)
    for hour in range(4):
        log.append([message(2 * hour), message(2 * hour + 1)], hour * HOUR_NS)
    log.forget(HOUR_NS, 10**9)
    reader = log.reader

    by_id = [reader.find(id) for id in ("shop/0/5", "shop/0/0", "nobody's")]
    by_time = [reader.since(hour_ns) for hour_ns in (0, HOUR_NS, HOUR_NS + 1, 3 * HOUR_NS, 3 * HOUR_NS + 1)]
    log.close()

    assert by_id == [6, None, None]
    assert by_time == [3, 3, 5, 7, None]


def test_a_closed_log_refuses_to_be_read(path: Path) -> None:
    log = open_log(path)
    log.close()

    with pytest.raises(LogFault) as fault:
        log.reader.find("shop/0/0")

    assert fault.value.kind == "gone"


def test_what_was_told_can_be_read_up_to_a_sequence_of_each_source(path: Path) -> None:
    log = open_log(path)
    log.append([message(k, stream=stream) for k in range(3) for stream in ("shop", "door", "yard")], 0)

    pieces = list(log.messages({("retail/shop", 0): 1, ("retail/door", 0): 0, ("retail/none", 0): 4}))

    log.close()
    assert [[one.id for one in piece] for piece in pieces] == [["shop/0/0", "door/0/0", "shop/0/1"]]
