"""Logs that cannot be used: what is said, and that nothing is changed."""

import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.bus import log_file
from pipeline.bus.log import Log
from pipeline.bus.log_faults import LogFault
from pipeline.bus.log_file import set_aside
from tests.pipeline.bus.stories import all_of, ids, message, open_log
from tests.repository import ROOT

ALONE = "expected to be its only writer, got another program, perhaps another run, that holds it; end that program or"
NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


@pytest.fixture
def log_with_messages(path: Path) -> Path:
    log = open_log(path)
    log.append([message(k, data=b"x" * 1000) for k in range(100)], 0)
    log.close()
    return path


def refused(path: Path) -> LogFault:
    with pytest.raises(LogFault) as fault:
        open_log(path)
    return fault.value


def test_a_log_that_another_publisher_has_open_is_left_alone(path: Path) -> None:
    log = open_log(path)

    fault = refused(path)

    log.close()
    assert (fault.kind, str(fault)) == ("busy", f"{path}: {ALONE} choose another file")
    open_log(path).close()


def test_a_log_that_another_program_writes_to_cannot_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "BUSY_S", 0.01)
    log = open_log(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(LogFault) as fault:
        log.append([message(0)], 0)

    other.execute("ROLLBACK")
    other.close()
    kept = log.append([message(0)], 0)
    log.close()
    assert (fault.value.kind, str(fault.value)) == ("busy", f"{path}: {ALONE} choose another file")
    assert ids(kept) == ["1 shop/0/0"]


def garble_head(path: Path) -> None:
    path.write_bytes(b"this was an event log" + path.read_bytes()[21:])


def garble_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[20_000:60_000] = b"\xff" * 40_000
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lose_series(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("DELETE FROM series")
    other.commit()
    other.close()


@pytest.mark.parametrize("damage", [garble_head, garble_middle, cut, lose_series])
def test_a_damaged_log_is_recognised(log_with_messages: Path, damage: Callable[[Path], None]) -> None:
    damage(log_with_messages)
    before = log_with_messages.read_bytes()

    fault = refused(log_with_messages)

    assert fault.kind == "damaged"
    assert str(fault).startswith(f"{log_with_messages}: expected an event log, got damaged content (")
    assert str(fault).endswith("); keep the file that was set aside for whoever can mend it")
    assert log_with_messages.read_bytes() == before


def test_damage_that_is_found_while_others_read_is_reported(log_with_messages: Path) -> None:
    found: list[LogFault] = []
    log = Log(log_with_messages, found.append)
    content = bytearray(log_with_messages.read_bytes())
    content[8192:90_000] = b"\xff" * (90_000 - 8192)
    with log_with_messages.open("r+b") as file:
        file.write(content)

    with pytest.raises(LogFault) as fault:
        log.reader.events(0, "", 1000)

    log.close()
    assert fault.value.kind == "damaged"
    assert found == [fault.value]


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE customers (name TEXT)")
    other.close()
    before = path.read_bytes()

    fault = refused(path)

    assert (fault.kind, path.read_bytes()) == ("foreign", before)
    assert str(fault) == (
        f"{path}: expected an event log of this version, got something else (a database of another program); choose "
        "another file"
    )


def test_a_log_of_another_version_is_left_alone(path: Path) -> None:
    open_log(path).close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 7")
    other.close()

    assert str(refused(path)) == (
        f"{path}: expected an event log of this version, got something else (version 7, this program knows 1); choose "
        "another file"
    )


def test_a_folder_in_place_of_the_log_is_told(path: Path) -> None:
    path.mkdir()

    assert str(refused(path)) == (
        f"{path}: expected to read and write it, got no right to (unable to open database file); change the rights of "
        "file and folder or choose another file"
    )


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    assert str(refused(tmp_path / "none" / "events.db")) == (
        f"{tmp_path}/none/events.db: expected to read and write it, got no right to (No such file or directory); "
        "change the rights of file and folder or choose another file"
    )


@pytest.fixture
def public() -> Iterator[Path]:
    """Return a folder that every user can reach, which is not so for those that pytest makes."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


READ_ONLY = """
import os, sys
from pathlib import Path
from pipeline.bus.log import Log
from pipeline.bus.log_faults import LogFault
from tests.pipeline.bus.stories import open_log
if os.getuid() == 0:  # root may write everywhere
    os.setuid({nobody})
try:
    open_log(Path(sys.argv[1]))
except LogFault as fault:
    print(fault)
"""


@pytest.mark.parametrize("read_only", ["folder", "file"])
def test_a_log_that_may_only_be_read_is_told(read_only: str, public: Path) -> None:
    path = public / "events.db"
    log = open_log(path)
    log.append([message(0)], 0)
    log.close()
    if read_only == "file":
        public.chmod(0o777)
        Path(f"{path}.lock").chmod(0o666)
        path.chmod(0o444)
    else:
        Path(f"{path}.lock").unlink()
        public.chmod(0o555)

    said = subprocess.run(
        [sys.executable, "-c", READ_ONLY.format(nobody=NOBODY), path], cwd=ROOT, capture_output=True, text=True
    )

    public.chmod(0o700)
    detail = "Permission denied" if read_only == "folder" else "attempt to write a readonly database"
    assert (said.stdout, said.stderr) == (
        f"{path}: expected to read and write it, got no right to ({detail}); change the rights of file and folder or "
        "choose another file\n",
        "",
    )


def test_a_log_that_is_taken_away_while_it_is_open_is_noticed(path: Path) -> None:
    log = open_log(path)
    log.check_in_place()
    path.unlink()

    with pytest.raises(LogFault) as fault:
        log.check_in_place()

    log.close()
    assert str(fault.value) == (
        f"{path}: expected the file to stay, got it removed or replaced while in use; leave it in place while a run "
        "uses it"
    )


def test_logs_are_set_aside_under_the_first_free_name(path: Path) -> None:
    asides = []
    for k in range(2):
        log = open_log(path)
        log.append([message(k)], 0)
        log.close()
        asides.append(set_aside(path))

    logs = [open_log(aside) for aside in asides]
    found = [ids(all_of(log)) for log in logs]
    for log in logs:
        log.close()
    assert [aside.name for aside in asides] == ["events-1.db", "events-2.db"]
    assert found == [["1 shop/0/0"], ["1 shop/0/1"]]
    assert not path.exists()


def test_what_was_not_brought_into_the_log_yet_is_set_aside_with_it(path: Path, tmp_path: Path) -> None:
    log = open_log(path)
    log.append([message(0)], 0)
    for end in ("", "-wal"):  # as after kill -9: nobody has tidied up
        (tmp_path / f"killed.db{end}").write_bytes(Path(f"{path}{end}").read_bytes())
    log.close()

    aside = open_log(set_aside(tmp_path / "killed.db"))
    found = ids(all_of(aside))

    aside.close()
    assert found == ["1 shop/0/0"]
