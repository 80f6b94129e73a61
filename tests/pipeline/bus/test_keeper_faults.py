"""A log through all that can happen to one, with real files and real faults."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.bus import keeper as keeper_module
from pipeline.bus import log_file
from pipeline.bus.keeper import Keeper
from pipeline.bus.log import Log
from pipeline.bus.log_faults import LogFault
from pipeline.bus.message import Begun, Kept, Message
from tests.pipeline.bus.keeping import held, keeper, of_file
from tests.pipeline.bus.stories import all_of, ids, message, open_log, wait_until

ALONE = (
    "expected to be its only writer, got another program, perhaps another run, that holds it; end that program or "
    "choose another file"
)
ALL_THE_SAME = "events go out all the same, and 5 of them can wait until it can be used"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "BUSY_S", 0.01)


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
        f"bus: event log {path} can be used again: 5 events that waited are in it; 2 more, for which there was no "
        "room, are not",
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


def test_the_beginning_of_a_generation_always_finds_room(path: Path, opened: list[Keeper]) -> None:
    other = open_log(path)
    other.append([message(0, key="a", holds=True)], 0)
    one = keeper(path, opened, room=1)

    one.keep([message(0, stream="door"), message(1, stream="door"), Begun("retail/shop", 1)])
    other.close()
    late = one.tend()

    assert ids(late) == ["2 door/0/0", "3 shop/0/0+1"]


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


def test_a_log_that_is_found_damaged_late_makes_room_for_one_with_what_waited(path: Path, opened: list[Keeper]) -> None:
    log = open_log(path)
    log.append([message(k, data=b"x" * 1000) for k in range(50)], 0)
    one = keeper(path, opened, room=3)
    one.keep([message(k, key="a" if k == 61 else None, holds=k in (61, 63)) for k in range(60, 64)])
    log.close()
    garble(path)

    told = one.tend() + one.tend()
    after = one.keep([message(64)])

    assert ids(told) == ["1 shop/0/60", "2 shop/0/61", "3 shop/0/62"]
    assert ids(after) == ["4 shop/0/64"]
    assert of_reader(one) == ids([*told, *after])


def test_damage_that_was_reported_of_the_log_before_is_no_fault_of_the_new_one(
    path: Path, opened: list[Keeper]
) -> None:
    one = keeper(path, opened)
    one.keep([message(0, key="a", holds=True)])
    one._found(LogFault(path, "damaged"))  # by another thread, while this one finds the same
    one._cope(LogFault(path, "damaged"))
    id, last = one.place()

    one.tend()

    assert (one.place(), last) == ((id, 1), 1)
    assert not path.with_name("events-2.db").exists()


def test_a_new_log_that_cannot_be_written_either_is_left_alone_for_a_while(
    path: Path, opened: list[Keeper], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = keeper(path, opened)
    one.keep([message(0)])

    def damaged(log: Log, messages: Sequence[Message], _: int) -> list[Kept]:
        if messages:
            raise LogFault(path, "damaged")
        return []

    with monkeypatch.context() as broken:
        broken.setattr(Log, "append", damaged)
        told = one.keep([message(1)])
    late = one.tend()

    assert (ids(told), ids(late)) == (["- shop/0/1"], ["1 shop/0/1"])
    assert not path.with_name("events-2.db").exists()
    assert len(caplog.messages) == 3
    assert "got a disk that fails" in caplog.messages[1]


def test_a_log_of_another_program_is_left_alone(path: Path, opened: list[Keeper]) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE customers (name TEXT)")
    other.close()

    one = keeper(path, opened)
    told = one.keep([message(0)])

    assert ids(told) == ["- shop/0/0"]
    assert not path.with_name("events-1.db").exists()


def of_reader(one: Keeper) -> list[str]:
    log = one.answers.log
    assert log is not None
    return ids(all_of(log))


def writer_of(one: Keeper) -> sqlite3.Connection:
    log = one.answers.log
    assert log is not None
    return log._db
