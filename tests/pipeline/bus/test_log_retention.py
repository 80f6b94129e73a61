"""What a log forgets, and what it still knows of that."""

from pathlib import Path

import pytest

from tests.pipeline.bus.stories import all_of, ids, message, open_log

HOUR_NS = 3600 * 10**9


def test_old_messages_are_forgotten_by_age_but_never_the_last_one(path: Path) -> None:
    log = open_log(path)
    for hour in range(4):
        log.append([message(hour)], hour * HOUR_NS)

    more = log.forget(2 * HOUR_NS, 10**9)
    left = ids(all_of(log))
    log.forget(9 * HOUR_NS, 10**9)
    last = ids(all_of(log))
    log.close()

    assert (more, left, last) == (False, ["3 shop/0/2", "4 shop/0/3"], ["4 shop/0/3"])
    assert (log.reader.first, log.reader.last) == (4, 4)


def test_the_oldest_messages_are_forgotten_when_the_log_grows_too_large(path: Path) -> None:
    log = open_log(path)
    log.append([message(k, data=b"x" * 1000) for k in range(1000)], 0)

    for _ in range(3):  # how much a message takes is an estimate
        log.forget(0, 300_000)

    left = all_of(log)
    used = log._used_bytes()
    log.close()
    assert (left[-1].position, left[0].position) == (1000, log.reader.first)
    assert 150 < len(left) < 300
    assert used <= 300_000


def test_no_call_forgets_more_than_a_commit_can_wait_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.bus.log.FORGET_ROWS", 10)
    log = open_log(path)
    log.append([message(k) for k in range(25)], 0)

    more = [log.forget(1, 10**9) for _ in range(3)]

    log.close()
    assert (more, log.reader.first) == ([True, True, False], 25)


def test_nothing_is_forgotten_without_need(path: Path) -> None:
    log = open_log(path)
    nothing = log.forget(10**18, 1)
    log.append([message(0), message(1)], HOUR_NS)

    more = log.forget(HOUR_NS, 10**9)

    log.close()
    assert (nothing, more, log.reader.first, log.reader.last) == (False, False, 1, 2)


def test_positions_are_not_used_again_and_what_is_forgotten_is_still_known_to_have_been_told(path: Path) -> None:
    log = open_log(path)
    log.append([message(0), message(1)], 0)
    log.append([message(0, stream="door")], HOUR_NS)
    log.forget(HOUR_NS, 10**9)
    log.close()

    again = open_log(path)
    told_again = again.append([message(0), message(1, data=b"other")], 2 * HOUR_NS)
    kept = again.append([message(2)], 2 * HOUR_NS)
    again.close()

    assert told_again == []
    assert (ids(kept), again.reader.first) == (["4 shop/0/2"], 3)


def test_generations_that_are_over_and_forgotten_leave_nothing_behind(path: Path) -> None:
    log = open_log(path)
    for generation in range(3):
        log.append([message(0, generation=generation)], generation * HOUR_NS)

    log.forget(2 * HOUR_NS, 10**9)

    numbers = log._db.execute("SELECT generation FROM series").fetchall()
    kept = log.append([message(0, generation=3)], 3 * HOUR_NS)
    found = ids(all_of(log))
    log.close()
    assert numbers == [(2,)]
    assert (ids(kept), found) == (["4 shop/3/0"], ["3 shop/2/0", "4 shop/3/0"])
