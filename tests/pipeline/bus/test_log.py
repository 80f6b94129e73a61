"""What is written to a log: positions, what came before, what is new."""

import re
from pathlib import Path

import pytest

from pipeline.bus.log import Log
from pipeline.bus.log_faults import LogFault, OtherStory
from tests.pipeline.bus.stories import all_of, ids, message, open_log


def test_each_message_gets_the_next_position_and_those_before_it_at_each_level_of_its_topic(path: Path) -> None:
    log = open_log(path)

    first = log.append([message(0, 1), message(1, 2), message(0, 1, stream="door")], 0)
    second = log.append([message(2, 1), message(1, 1, stream="door")], 0)
    log.close()

    assert [(one.message.topic, one.position, one.previous) for one in [*first, *second]] == [
        ("look/shop/1/", 1, (0, 0, 0)),
        ("look/shop/2/", 2, (1, 1, 0)),
        ("look/door/1/", 3, (2, 0, 0)),
        ("look/shop/1/", 4, (3, 2, 1)),
        ("look/door/1/", 5, (4, 3, 3)),
    ]


def test_a_topic_of_two_segments_has_nothing_before_it_at_a_third(path: Path) -> None:
    log = open_log(path)
    report = message(0)
    reports = [type(report)(**{**_fields(report), "topic": "measure/shop/", "sequence": k}) for k in (0, 1)]

    kept = log.append(reports, 0)
    log.close()

    assert [one.previous for one in kept] == [(0, 0, 0), (1, 1, 0)]


def test_what_was_written_is_there_when_the_log_is_opened_again_and_goes_on(path: Path) -> None:
    log = open_log(path)
    before = log.append([message(0, 1), message(1, 2)], 7000)
    id = log.id
    log.close()

    again = open_log(path)
    found = all_of(again)
    after = again.append([message(2, 1)], 6000)
    again.close()

    assert again.id == id
    assert re.fullmatch("[0-9a-f]{32}", id)
    assert found == before
    assert [(one.position, one.previous) for one in after] == [(3, (2, 2, 1))]


def test_two_logs_have_different_ids(tmp_path: Path) -> None:
    one, other = open_log(tmp_path / "a.db"), open_log(tmp_path / "b.db")
    one.close()
    other.close()

    assert one.id != other.id


def test_recorded_times_never_fall_although_the_clock_does(path: Path) -> None:
    log = open_log(path)
    log.append([message(0)], 9000)
    log.close()

    again = open_log(path)
    kept = again.append([message(1)], 5000)
    again.close()

    assert kept[0].recorded_ns == 9000


def test_what_is_held_is_known_when_the_log_is_opened(path: Path) -> None:
    log = open_log(path)
    log.append([message(0, key="a", holds=True), message(1, key="b", holds=True), message(2, key="c", holds=True)], 0)
    log.append([message(3, key="a", holds=True), message(4, key="b", holds=False)], 0)
    log.close()

    again = open_log(path)
    again.close()

    assert ids(again.held) == ["3 shop/0/2", "4 shop/0/3"]


def test_what_is_told_again_is_not_written_again(path: Path) -> None:
    log = open_log(path)
    log.append([message(0), message(1)], 0)
    log.close()

    again = open_log(path)
    kept = again.append([message(0), message(1), message(2), message(2)], 0)
    once_more = again.append([message(1)], 0)
    found = ids(all_of(again))
    again.close()

    assert (ids(kept), once_more) == (["3 shop/0/2"], [])
    assert found == ["1 shop/0/0", "2 shop/0/1", "3 shop/0/2"]


@pytest.mark.parametrize("again", [0, 1])
def test_another_story_is_noticed_and_nothing_of_it_is_written(path: Path, again: int) -> None:
    log = open_log(path)
    log.append([message(0), message(0, stream="door"), message(1)], 0)

    with pytest.raises(OtherStory):
        log.append([message(2), message(again, data=b"other")], 0)

    found = ids(all_of(log))
    log.close()
    assert found == ["1 shop/0/0", "2 door/0/0", "3 shop/0/1"]


def test_generations_of_a_source_count_for_themselves(path: Path) -> None:
    log = open_log(path)
    log.append([message(0), message(5)], 0)

    kept = log.append([message(0, generation=1)], 0)

    log.close()
    assert ids(kept) == ["3 shop/1/0"]
    assert (log.next_sequence(("retail/shop", 0)), log.next_sequence(("retail/shop", 1))) == (6, 1)
    assert log.next_sequence(("retail/shop", 2)) == 0


def test_a_write_that_fails_leaves_nothing_behind_and_is_made_up_for(path: Path) -> None:
    log = open_log(path)
    log.append([message(0)], 0)
    pages = log._db.execute("PRAGMA page_count").fetchone()[0]
    log._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    large = [message(k, data=b"x" * 3000) for k in range(1, 9)]

    with pytest.raises(LogFault) as fault:
        log.append(large, 0)

    assert str(fault.value) == f"{path}: expected to write, got a full disk; free space"
    assert ids(all_of(log)) == ["1 shop/0/0"]
    log._db.execute("PRAGMA max_page_count = 1000000")
    kept = log.append(large, 0)
    log.close()
    assert [(one.position, one.previous) for one in kept[:2]] == [(2, (1, 1, 1)), (3, (2, 2, 2))]


def _fields(of: object) -> dict[str, object]:
    return {name: getattr(of, name) for name in of.__struct_fields__}  # type: ignore[attr-defined]


def test_a_log_takes_any_bytes_and_names(path: Path) -> None:
    odd = message(0, key="Käse:1\n'\"", data=bytes(range(256)))
    log: Log = open_log(path)

    log.append([odd], 0)

    found = all_of(log)[0].message
    log.close()
    assert found == odd
