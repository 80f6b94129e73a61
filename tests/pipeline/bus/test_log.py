import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.bus import checkpoints, log_reader
from pipeline.bus.log import Log
from pipeline.bus.log_faults import LogFault, OtherStory
from tests.pipeline.bus.stories import all_of, ids, message, open_log, wait_until
from tests.repository import ROOT

HOUR_NS = 3600 * 10**9


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


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


def test_what_waits_beside_the_log_is_brought_into_it_while_messages_are_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "EVERY_BYTES", 100_000)
    log = open_log(path)
    small = path.stat().st_size

    log.append([message(k, data=b"x" * 1000) for k in range(200)], 0)

    wait_until(lambda: path.stat().st_size > small + 150_000, "the log has grown")
    assert log._file.wal_bytes() > 150_000
    log.close()


def test_what_waits_beside_the_log_does_not_grow_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "EVERY_BYTES", 100_000)
    monkeypatch.setattr(checkpoints, "WAL_BYTES", 100_000)
    log = open_log(path)

    log.append([message(k, data=b"x" * 1000) for k in range(200)], 0)

    wait_until(lambda: log._file.wal_bytes() == 0, "all of it is in the log")
    found = len(all_of(log))
    log.close()
    assert found == 200


def test_writes_are_on_the_disk_when_they_are_done(path: Path) -> None:
    log = open_log(path)

    settings = [log._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    log.close()
    assert settings == ["wal", 2]


WRITER = """
import sys
from tests.pipeline.bus.stories import message, open_log
from pathlib import Path
log = open_log(Path(sys.argv[1]))
at = log.next_sequence(("retail/shop", 0))
while True:
    log.append([message(k) for k in range(at, at + 20)], 0)
    at += 20
    print(at, flush=True)
"""


def test_what_was_committed_survives_kill_9(path: Path) -> None:
    for commits in (1, 7, 30):
        with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, cwd=ROOT) as writer:
            assert writer.stdout
            for _ in range(commits):
                assert select.select([writer.stdout], [], [], 30)[0], "the writer says nothing"
                committed = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)

    log = open_log(path)
    found = all_of(log)
    log.close()
    assert [one.position for one in found] == list(range(1, len(found) + 1))
    assert [one.message for one in found] == [message(k) for k in range(len(found))]
    assert len(found) >= committed


def _fields(of: object) -> dict[str, object]:
    return {name: getattr(of, name) for name in of.__struct_fields__}  # type: ignore[attr-defined]


def test_a_log_takes_any_bytes_and_names(path: Path) -> None:
    odd = message(0, key="Käse:1\n'\"", data=bytes(range(256)))
    log: Log = open_log(path)

    log.append([odd], 0)

    found = all_of(log)[0].message
    log.close()
    assert found == odd
