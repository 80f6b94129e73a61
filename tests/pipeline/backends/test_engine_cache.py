"""The folder of engines: nothing but what was written there by this user, as a whole, is ever loaded."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from pipeline.backends.engine_cache import (
    MAGIC,
    CancelledError,
    DamagedEngineError,
    EngineCache,
    default_folder,
)
from pipeline.backends.engine_key import EngineRecord
from pipeline.errors import ConfigError, PipelineError
from tests.pipeline.backends.test_engine_key import KEY
from tests.repository import ROOT

ENGINE = bytes(range(256)) * 50
RECORD = EngineRecord("Tiny/../x", KEY, 2.5, len(ENGINE))
NAME = RECORD.name
PROGRAM = """
import os, sys, threading
from pathlib import Path
import msgspec
from pipeline.backends import own_files
from pipeline.backends.engine_cache import EngineCache
from pipeline.backends.engine_key import EngineRecord

record = msgspec.json.decode(sys.argv[2], type=EngineRecord)
cache = EngineCache(Path(sys.argv[1]))
"""
BUILDS = """
print("tries", flush=True)
with cache.alone(record.name, record.key, threading.Event()):
    found = cache.read(record.name, record.key)
    print("found" if found else "builds", flush=True)
    if not found:
        sys.stdin.readline()
        cache.write(record, bytes(range(256)) * 50)
"""
DIES = """
def dies(file, content):
    file.write(content[: len(content) // 2])
    os._exit(9)

own_files.write_whole = dies
cache.write(record, bytes(range(256)) * 50)
"""


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "engines")


def process(cache: EngineCache, program: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM + program, str(cache.folder), msgspec.json.encode(RECORD).decode()]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_what_was_written_is_read(cache: EngineCache) -> None:
    assert cache.read(NAME, KEY) is None

    path = cache.write(RECORD, ENGINE)

    assert cache.read(NAME, KEY) == ENGINE
    assert path.name == f"x-{KEY.digest}.engine"
    assert cache.records() == [RECORD]
    assert {stat.S_IMODE(one.stat().st_mode) for one in cache.folder.iterdir()} == {0o600}
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700


def test_what_was_removed_is_gone(cache: EngineCache) -> None:
    cache.write(RECORD, ENGINE)
    (cache.runtime_folder(NAME, KEY) / "one.engine").write_bytes(b"")

    cache.remove(NAME, KEY)

    assert list(cache.folder.iterdir()) == []
    assert cache.why(NAME, KEY) == "no engine for this model yet"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda content: content[:-1], "is damaged: its checksum is another one"),
        (lambda content: content[:20], "is cut or no engine"),
        (lambda content: b"", "is cut or no engine"),
        (lambda content: content[: len(MAGIC) + 32], "is damaged: its checksum is another one"),
        (lambda content: content[:-5] + b"\0" + content[-4:], "is damaged: its checksum is another one"),
        (lambda content: b"#" + content[1:], "is cut or no engine"),
        (lambda content: content + b"more", "is damaged: its checksum is another one"),
    ],
)
def test_what_was_damaged_is_not_loaded(cache: EngineCache, damage: Callable[[bytes], bytes], told: str) -> None:
    path = cache.write(RECORD, ENGINE)
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(DamagedEngineError) as caught:
        cache.read(NAME, KEY)

    assert str(caught.value) == f"the engine in {path} {told}"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_an_engine_that_others_can_write_is_refused(cache: EngineCache, mode: int) -> None:
    path = cache.write(RECORD, ENGINE)
    path.chmod(mode)

    for refuses in (cache.read, cache.check):
        with pytest.raises(ConfigError) as caught:
            refuses(NAME, KEY)
        assert str(caught.value) == (
            f"{path}: expected what only its owner can write, got the mode {mode:o}: an engine is code; if nobody else "
            f"wrote there, type: chmod go-w '{path}'"
        )


def test_a_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines").chmod(0o770)

    with pytest.raises(ConfigError, match="expected what only its owner can write, got the mode 770"):
        EngineCache(tmp_path / "engines")


def test_engines_of_other_users_are_refused(cache: EngineCache, monkeypatch: pytest.MonkeyPatch) -> None:
    path, user = cache.write(RECORD, ENGINE), os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)

    with pytest.raises(ConfigError) as caught:
        cache.read(NAME, KEY)

    assert str(caught.value) == (
        f"{path}: expected files of the user {user + 1} alone, got one of the user {user}: an engine is code; remove "
        "it, or name another folder in engine.cache_folder"
    )
    with pytest.raises(ConfigError, match="expected files of the user"):
        EngineCache(cache.folder)


def test_links_and_other_things_are_refused(cache: EngineCache) -> None:
    path = cache.write(RECORD, ENGINE)
    elsewhere = path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="expected a file to read, got: Too many levels of symbolic links; remove it"):
        cache.read(NAME, KEY)
    with pytest.raises(ConfigError, match="expected a file, got a link; remove it"):
        cache.check(NAME, KEY)

    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(ConfigError, match="got something else; remove it"):
        cache.read(NAME, KEY)


def test_files_of_onnx_runtime_are_held_to_the_same(cache: EngineCache) -> None:
    folder = cache.runtime_folder(NAME, KEY)
    kept = folder / "one.engine"
    kept.write_bytes(b"")
    kept.chmod(0o644)
    assert cache.runtime_folder(NAME, KEY) == folder

    kept.chmod(0o664)
    with pytest.raises(ConfigError, match="expected what only its owner can write, got the mode 664"):
        cache.runtime_folder(NAME, KEY)


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "engines").write_text("")

    with pytest.raises(ConfigError) as caught:
        EngineCache(tmp_path / "engines" / "here")

    assert str(caught.value) == (
        f"{tmp_path}/engines/here: expected a folder for engines, got a file in its path; name another folder in "
        "engine.cache_folder"
    )


def test_records_that_are_none_are_passed_over(cache: EngineCache) -> None:
    cache.write(RECORD, ENGINE)
    for name, content in {
        "no": b"{",
        "other": b'{"name": 1}',
        "more": msgspec.json.encode({**msgspec.to_builtins(RECORD), "x": 1}),
        "large": b" " * (1 << 17),
    }.items():
        (cache.folder / f"{name}.json").write_bytes(content)
        (cache.folder / f"{name}.json").chmod(0o600)
    (cache.folder / "theirs.json").write_bytes(msgspec.json.encode(RECORD))
    (cache.folder / "theirs.json").chmod(0o666)

    assert cache.records() == [RECORD]


def test_an_engine_that_is_being_built_is_waited_for_by_other_processes(cache: EngineCache) -> None:
    first = process(cache, BUILDS)
    assert first.stdout and [first.stdout.readline() for _ in range(2)] == ["tries\n", "builds\n"]
    second = process(cache, BUILDS)
    assert second.stdout and second.stdout.readline() == "tries\n"

    first.communicate("go on\n", timeout=60)
    told, _ = second.communicate(timeout=60)

    assert (first.returncode, second.returncode, told) == (0, 0, "found\n")
    assert cache.read(NAME, KEY) == ENGINE


def test_a_process_that_dies_leaves_the_engine_to_others(cache: EngineCache) -> None:
    first = process(cache, BUILDS)
    assert first.stdout and [first.stdout.readline() for _ in range(2)] == ["tries\n", "builds\n"]
    first.kill()
    first.communicate(timeout=60)

    with cache.alone(NAME, KEY, threading.Event()):
        assert cache.read(NAME, KEY) is None


def test_who_waits_for_another_can_give_up(cache: EngineCache) -> None:
    enough = threading.Event()
    enough.set()

    with cache.alone(NAME, KEY, threading.Event()), pytest.raises(CancelledError):  # noqa: SIM117
        with cache.alone(NAME, KEY, enough):
            raise AssertionError("two at once")


@pytest.mark.parametrize("before", [None, b"an older engine"])
def test_dying_in_the_middle_of_writing_leaves_what_was_there(cache: EngineCache, before: bytes | None) -> None:
    if before:
        cache.write(RECORD, before)

    with process(cache, DIES) as dying:
        dying.communicate(timeout=60)
    assert dying.returncode == 9

    assert cache.path(NAME, KEY).with_suffix(".engine.part").exists()
    assert cache.read(NAME, KEY) == before
    cache.write(RECORD, ENGINE)
    assert cache.read(NAME, KEY) == ENGINE
    assert not list(cache.folder.glob("*.part"))


def test_a_disk_that_is_full_leaves_no_part(cache: EngineCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(PipelineError, match="expected to write, got a full disk; free space or name another folder in"):
        cache.write(RECORD, ENGINE)
    assert list(cache.folder.iterdir()) == []


def test_engines_lie_in_the_folder_for_caches() -> None:
    assert default_folder({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == Path("/c/gazegraph/engines")
    assert default_folder({"XDG_CACHE_HOME": "relative", "HOME": "/h"}) == Path("/h/.cache/gazegraph/engines")
    assert default_folder({"HOME": "/h"}) == Path("/h/.cache/gazegraph/engines")
