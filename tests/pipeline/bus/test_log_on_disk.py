"""What of a log is on the disk, and when."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.bus import checkpoints, log_file
from tests.pipeline.bus.stories import all_of, message, open_log, wait_until
from tests.processes import running
from tests.repository import ROOT


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


def test_the_file_beside_the_log_is_written_over_and_over(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "EVERY_BYTES", 400_000)
    log = open_log(path)

    written, largest = 0, 0
    while written < 3 * max(largest, 4_000_000) and written < 200_000_000:  # how soon depends on the disk
        log.append([message(written // 20_000 + k, data=b"x" * 20_000) for k in range(20)], 0)
        written += 20 * 20_000
        largest = max(largest, log._file.wal_bytes())
    log.close()

    assert written >= 3 * largest


def test_who_reads_holds_up_no_commit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "EVERY_BYTES", 100_000)
    monkeypatch.setattr(log_file, "BUSY_S", 20.0)
    log = open_log(path)
    log.append([message(0)], 0)
    other = log._file.connect()
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM messages").fetchone()

    began_s = time.monotonic()
    for part in range(4):
        log.append([message(1 + 100 * part + k, data=b"x" * 1000) for k in range(100)], 0)
    took_s = time.monotonic() - began_s

    other.close()
    log.close()
    assert took_s < 10


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
        with running([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, cwd=ROOT) as writer:
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
