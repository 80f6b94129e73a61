"""A log through all that can happen to one, with real files and real faults."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.bus import keeper as keeper_module
from pipeline.bus import log_file
from pipeline.bus.keeper import Keeper, Told
from pipeline.bus.log import Log
from pipeline.bus.message import Begun, Message
from tests.pipeline.bus.stories import all_of, ids, message, open_log, wait_until

ALONE = (
    "expected to be its only writer, got another program, perhaps another run, that holds it; end that program or choose "
    "another file"
)
ALL_THE_SAME = "events go out all the same, and 5 of them can wait until it can be used"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "BUSY_S", 0.01)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


@pytest.fixture
def opened() -> Iterator[list[Keeper]]:
    made: list[Keeper] = []
    yield made
    for one in made:
        one.close()


def interrupted(last: Message, sequence: int) -> Message | None:
    if last.data == b"unreadable":
        return None
    return msgspec.structs.replace(last, id=f"{last.id}+{sequence}", sequence=sequence, holds=False)


def keeper(path: Path | None, opened: list[Keeper], **config: Any) -> Keeper:
    values: dict[str, Any] = {"keep_s": 1e9, "keep_bytes": 10**9, "room": 5, "back_off_s": (0.0,), **config}
    made = Keeper("bus", path, interrupted=interrupted, **values)
    made.open()
    opened.append(made)
    return made


def held(one: Keeper) -> list[str]:
    return ids(one.held.snapshot()[0])


def of_file(path: Path) -> list[str]:
    log = open_log(path)
    found = ids(all_of(log))
    log.close()
    return found


def test_without_a_log_messages_pass_and_the_last_of_each_key_is_held(opened: list[Keeper]) -> None:
    one = keeper(None, opened)

    told = one.keep([Begun("retail/shop", 1), message(0, key="a", holds=True), message(1, key="b", holds=True)])
    again = one.keep([message(0, key="a", holds=True), message(2, key="b", holds=False)])

    assert (ids(told), ids(again)) == (["- shop/0/0", "- shop/0/1"], ["- shop/0/0", "- shop/0/2"])
    assert (one.place(), held(one), one.tend(), one.finish()) == ((None, None), ["- shop/0/0"], [], [])


def test_messages_are_kept_and_what_is_held_has_its_place(path: Path, opened: list[Keeper]) -> None:
    one = keeper(path, opened)

    told = one.keep([message(0, key="a", holds=True), message(1, key="b", holds=True), message(2, key="a")])

    log, last = one.place()
    assert ids(told) == ["1 shop/0/0", "2 shop/0/1", "3 shop/0/2"]
    assert one.held.snapshot() == ([told[1]], log, 3)
    assert last == 3


def test_what_an_earlier_run_left_open_is_ended_when_a_later_generation_begins(
    path: Path, opened: list[Keeper]
) -> None:
    first = keeper(path, opened)
    first.keep([message(k, key=key, holds=True) for k, key in enumerate("abc")] + [message(3, key="b")])
    first.keep([message(4, key="a", holds=True), message(0, key="d", holds=True, stream="door")])
    first.keep([message(0, key="e", holds=True, generation=7)])
    first.close()

    second = keeper(path, opened)
    same = second.keep([Begun("retail/shop", 0)])
    told = second.keep([Begun("retail/shop", 7), message(1, key="e", holds=True, generation=7)])
    later = second.keep([Begun("retail/shop", 9)])

    assert (same, ids(told)) == ([], ["8 shop/0/2+5", "9 shop/0/4+6", "10 shop/7/1"])
    assert ids(later) == ["11 shop/7/1+2"]
    assert held(second) == ["6 door/0/0"]


def test_what_cannot_be_read_stays_open_and_is_told(
    path: Path, opened: list[Keeper], caplog: pytest.LogCaptureFixture
) -> None:
    one = keeper(path, opened)
    one.keep([message(0, key="a", holds=True, data=b"unreadable"), message(1, key="b", holds=True)])

    told = one.keep([Begun("retail/shop", 1)])

    assert ids(told) == ["3 shop/0/1+2"]
    assert held(one) == ["1 shop/0/0"]
    assert caplog.messages == ["bus: 'shop/0/0', left open by an earlier run, cannot be read and stays open"]


def test_a_log_in_use_is_waited_for_while_messages_go_out(
    path: Path, opened: list[Keeper], caplog: pytest.LogCaptureFixture
) -> None:
    other = open_log(path)
    other.append([message(0, key="a", holds=True)], 0)

    one = keeper(path, opened)
    first = one.keep([Begun("retail/shop", 1), message(0, generation=1, key="b", holds=True)])
    still = one.tend()
    held_meanwhile = held(one)
    other.close()
    late = one.tend()
    after = one.keep([message(1, generation=1)])

    assert (ids(first), still, held_meanwhile) == (["- shop/1/0"], [], ["- shop/1/0"])
    assert (ids(late), ids(after)) == (["2 shop/0/0+1", "3 shop/1/0"], ["4 shop/1/1"])
    assert held(one) == ["3 shop/1/0"]
    assert caplog.messages == [
        f"bus: event log {path}: {ALONE}; {ALL_THE_SAME}",
        f"bus: event log {path} can be used again: 1 events that waited are in it",
    ]


def test_a_log_that_another_program_has_locked_is_waited_for(path: Path, opened: list[Keeper]) -> None:
    one = keeper(path, opened)
    one.keep([message(0)])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    meanwhile = one.keep([message(1), message(2)]) + one.tend() + one.keep([message(3)])
    place = one.place()
    other.execute("ROLLBACK")
    other.close()
    late = one.tend()

    assert ids(meanwhile) == ["- shop/0/1", "- shop/0/2", "- shop/0/3"]
    assert place[1] == 1
    assert ids(late) == ["2 shop/0/1", "3 shop/0/2", "4 shop/0/3"]


def test_a_full_disk_is_waited_for_and_what_there_is_no_room_for_is_counted(
    path: Path, opened: list[Keeper], caplog: pytest.LogCaptureFixture
) -> None:
    one = keeper(path, opened)
    one.keep([message(0)])
    db = writer_of(one)
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")

    meanwhile = one.keep([message(k, data=b"x" * 3000) for k in range(1, 4)]) + one.tend()
    more = one.keep([message(k) for k in range(4, 8)])
    db.execute("PRAGMA max_page_count = 1000000")
    late = one.tend()

    assert ids([*meanwhile, *more]) == [f"- shop/0/{k}" for k in range(1, 8)]
    assert ids(late) == [f"{k + 1} shop/0/{k}" for k in range(1, 6)]
    assert caplog.messages == [
        f"bus: event log {path}: expected to write, got a full disk; free space; {ALL_THE_SAME}",
        f"bus: event log {path} can be used again: 5 events that waited are in it; 2 more, for which there was no room, "
        "are not",
    ]


def test_what_is_not_in_the_log_at_the_end_is_told(
    path: Path, opened: list[Keeper], caplog: pytest.LogCaptureFixture
) -> None:
    other = open_log(path)
    one = keeper(path, opened)
    one.keep([message(k) for k in range(7)])

    told = one.finish()

    other.close()
    assert told == []
    assert caplog.messages[1:] == [
        f"bus: event log {path}: {ALONE}; 7 events of this run were published and are not in the log"
    ]


def test_what_waits_is_kept_at_the_end_if_that_can_be_done_then(path: Path, opened: list[Keeper]) -> None:
    other = open_log(path)
    one = keeper(path, opened)
    one.keep([message(0)])
    other.close()

    told = one.finish()

    assert ids(told) == ["1 shop/0/0"]


def test_the_longer_a_log_cannot_be_used_the_longer_it_is_left_alone(
    path: Path, opened: list[Keeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module.time, "monotonic", lambda: 100.0)
    other = open_log(path)
    one = keeper(path, opened, back_off_s=(1.0, 4.0))

    dues = [one.due_s]
    for _ in range(2):
        one.tend()
        dues.append(one.due_s)
    other.close()
    one.tend()

    assert [*dues, one.due_s] == [101.0, 104.0, 104.0, 101.0]


def garble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    with path.open("r+b") as file:
        file.write(content)


def test_a_damaged_log_is_set_aside_and_nothing_of_it_is_lost(
    path: Path, opened: list[Keeper], caplog: pytest.LogCaptureFixture
) -> None:
    log = open_log(path)
    log.append([message(k, data=b"x" * 1000) for k in range(50)], 0)
    log.close()
    garble(path)
    before = path.read_bytes()

    one = keeper(path, opened)
    told = one.keep([message(0)])

    aside = path.with_name("events-1.db")
    assert ids(told) == ["1 shop/0/0"]
    assert aside.read_bytes() == before
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"bus: event log {path}: expected an event log, got damaged content (")
    assert caplog.messages[0].endswith(
        f"keep the file that was set aside for whoever can mend it; it was moved to {aside}, and a new log begins"
    )


def test_a_log_that_turns_out_to_be_damaged_makes_room_for_one_with_what_is_held(
    path: Path, opened: list[Keeper]
) -> None:
    log = open_log(path)
    log.append([message(k, data=b"x" * 1000) for k in range(50)], 0)
    log.close()
    one = keeper(path, opened)
    one.keep([message(50, key="a", holds=True)])
    id, _ = one.place()
    one.answers.log._file.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # type: ignore[union-attr]
    garble(path)

    reply = one.answers.reply([b'{"ask":"events","after":0}'])
    wait_until(lambda: one.due_s == 0.0, "the damage is reported")
    told = one.tend()
    after = one.keep([message(51)])

    assert b"damaged content" in reply[0]
    assert (ids(told), ids(after)) == (["1 shop/0/50"], ["2 shop/0/51"])
    assert one.place()[0] not in (id, None)


def test_a_log_that_is_removed_makes_room_for_one_with_what_is_held(
    path: Path, opened: list[Keeper], caplog: pytest.LogCaptureFixture
) -> None:
    one = keeper(path, opened)
    one.keep([message(0, key="a", holds=True), message(1)])
    path.unlink()

    told = one.tend()
    after = one.keep([message(2)])
    one.close()

    assert (ids(told), ids(after)) == (["1 shop/0/0"], ["2 shop/0/2"])
    assert of_file(path) == ["1 shop/0/0", "2 shop/0/2"]
    assert caplog.messages == [
        f"bus: event log {path}: expected the file to stay, got it removed or replaced while in use; leave it in place "
        "while a run uses it; a new log begins"
    ]


def test_a_log_of_another_program_is_left_alone(path: Path, opened: list[Keeper]) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE customers (name TEXT)")
    other.close()

    one = keeper(path, opened)
    told = one.keep([message(0)])

    assert ids(told) == ["- shop/0/0"]
    assert not path.with_name("events-1.db").exists()


def test_the_same_story_told_again_is_no_news(
    path: Path, opened: list[Keeper], caplog: pytest.LogCaptureFixture
) -> None:
    first = keeper(path, opened)
    first.keep([message(k) for k in range(4)])
    first.close()

    second = keeper(path, opened)
    told = [ids(second.keep([Begun("retail/shop", 0), message(k), message(k + 1)])) for k in (0, 2, 4)]

    assert told == [[], [], ["5 shop/0/4", "6 shop/0/5"]]
    assert caplog.messages == []


def test_another_story_begins_another_log_with_all_that_this_run_has_told(
    path: Path, opened: list[Keeper], caplog: pytest.LogCaptureFixture
) -> None:
    first = keeper(path, opened)
    first.keep([message(k, stream=stream, key=stream, holds=True) for k in range(3) for stream in ("shop", "door")])
    first.keep([message(0, stream="yard", key="yard", holds=True)])
    first.close()

    second = keeper(path, opened)
    same = second.keep([message(0, stream="door"), message(1, stream="door", key="door", holds=True)])
    told = second.keep([message(0, stream="shop", data=b"other"), message(2, stream="door")])
    second.close()

    aside = path.with_name("events-1.db")
    assert (same, ids(told)) == ([], ["1 door/0/0", "2 door/0/1", "3 shop/0/0", "4 door/0/2"])
    assert of_file(path) == ids(told)
    assert len(of_file(aside)) == 7
    assert caplog.messages == [
        f"bus: event log {path}: expected the same events of the same input as before, got others, as after a change of "
        f"values; the log was moved to {aside}, and a new one begins"
    ]


def test_the_log_forgets_what_is_too_old_and_so_does_the_snapshot(path: Path, opened: list[Keeper]) -> None:
    log = Log(path, lambda _: None)
    log.append([message(0, key="a", holds=True), message(1, key="b", holds=True)], 0)  # in 1970
    log.close()

    one = keeper(path, opened, keep_s=3600.0)
    one.keep([message(2, key="b", holds=True)])
    before = held(one)
    one.tend()

    assert (before, held(one)) == (["1 shop/0/0", "3 shop/0/2"], ["3 shop/0/2"])


def test_forgetting_much_is_due_again_at_once(
    path: Path, opened: list[Keeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.bus.log.FORGET_ROWS", 10)
    log = Log(path, lambda _: None)
    log.append([message(k) for k in range(30)], 0)
    log.close()
    one = keeper(path, opened, keep_s=3600.0)

    one.tend()
    due_s = one.due_s
    one.tend()
    one.tend()

    assert (due_s, one.due_s > 0) == (0.0, True)
    assert one.answers.log is not None
    assert one.answers.log.reader.first == 30


def writer_of(one: Keeper) -> sqlite3.Connection:
    log = one.answers.log
    assert log is not None
    return log._db


def test_told_has_the_type_that_is_sent(opened: list[Keeper]) -> None:
    told: Told = keeper(None, opened).keep([message(0)])

    assert told == [message(0)]
