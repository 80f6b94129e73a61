"""What was recorded is read back bit for bit; anything else is refused with a sentence."""

from __future__ import annotations

import ast
import errno
import json
import logging
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.types import GazeMaps
from pipeline.errors import ConfigError, PipelineError
from pipeline.marks import Mark
from pipeline.recording import LENGTH, MAX_MESSAGE_BYTES, Recorder, Recording, rejoin, with_streams
from pipeline.tick import Slot, Tick, no_frames
from pipeline.values import Value, equal
from tests.helpers import frames, table
from tests.pipeline.rig import Notes, Stamps, stream
from tests.repository import ROOT

HEADER = {"gazegraph": "recording", "version": 1, "edge": "stamps", "kind": "Stamps"}
CURE = "record it again with --record"


def tick(value: Value, count: int = 2, *marks: Mark, **options: Any) -> Tick:
    return Tick(0, frames(count, **options), marks, {"stamps": Slot(value)})


def stamps(*rows: int) -> Stamps:
    return table(Stamps, frame_row=rows, stamp_ns=rows)


def record(folder: Path, *ticks: Tick, kind: type[Value] = Stamps) -> Path:
    recorder = Recorder("stamps", kind, folder)
    for each in ticks:
        recorder.add(each)
    recorder.close()
    return folder / "stamps.ticks"


def framed(*messages: Any) -> bytes:
    packed = [msgspec.msgpack.encode(message) for message in messages]
    return b"".join(LENGTH.pack(len(each)) + each for each in packed)


def plain(**changes: Any) -> dict[str, Any]:
    """Return one recorded tick of a frame as plain data, with changes."""
    ints = {"shape": [1], "bytes": bytes(8)}
    frame = {
        "stream_id": ["shop"], "generation": ints, "frame_index": ints, "pts_ns": ints, "arrived_ns": ints,
        "size_wh": {"shape": [1, 2], "bytes": bytes(8)},
    }  # fmt: skip
    return {"marks": [], "frames": frame, "values": {"stamps": {"frame_row": ints, "stamp_ns": ints}}, **changes}


def refusal(folder: Path, kind: type[Value] = Stamps) -> str:
    with pytest.raises(ConfigError) as caught:
        Recording("stamps", kind, folder)
    return str(caught.value)


# there and back


@given(
    st.lists(st.tuples(st.floats(width=32), st.floats(width=32)), max_size=5),
    st.integers(0, 3), st.integers(0, 3), st.binary(max_size=8),
)  # fmt: skip
def test_values_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[float, float]], high: int, wide: int, seed: bytes
):
    rng = np.random.default_rng(list(seed))
    count = len(pairs)
    made = GazeMaps(
        np.sort(rng.integers(0, 2, count)),
        rng.integers(-(2**62), 2**62, count),
        np.array(pairs, np.float32).reshape(count, 2)[:, [0, 1, 1, 0]],
        rng.random((count, high, wide), np.float32),
        np.array([pair[0] for pair in pairs], np.float32),
    )
    given = Tick(3, frames(2, ("a", "b")), (Mark("stalled", "a", 2, 5),), {"stamps": Slot(made)})

    record(folder := tmp_path_factory.mktemp("recording"), given, kind=GazeMaps)
    (read,) = Recording("stamps", GazeMaps, folder)

    assert equal(read.value, made)
    assert equal(read.frames, given.frames)
    assert read.marks == given.marks


def test_words_of_any_language_come_back(tmp_path: Path):
    made = table(Notes, stream_id=["a", "b"], text=["Kaffee ☕", ""])

    record(tmp_path, tick(made), kind=Notes)
    (read,) = Recording("stamps", Notes, tmp_path)

    assert equal(read.value, made)


def test_ticks_without_rows_and_without_frames_come_back(tmp_path: Path):
    ended = Mark("ended", "shop", 1, 80)

    record(tmp_path, tick(Stamps.empty()), Tick(1, no_frames(stream()), (ended,), {"stamps": Slot(Stamps.empty())}))
    first, second = Recording("stamps", Stamps, tmp_path)

    assert (len(first.frames), len(first.value), first.marks) == (2, 0, ())
    assert (len(second.frames), len(second.value), second.marks) == (0, 0, (ended,))


def test_pictures_are_not_recorded(tmp_path: Path):
    file = record(tmp_path, tick(stamps(0), 1, pictures=True, size_wh=(640, 360)))

    (read,) = Recording("stamps", Stamps, tmp_path)

    assert file.stat().st_size < 1000
    assert read.frames.pictures == ()
    assert read.frames.size_wh.tolist() == [[640, 360]]


def test_what_is_read_may_be_kept_and_does_not_hang_on_the_file(tmp_path: Path):
    record(tmp_path, tick(stamps(0, 1)))

    (read,) = Recording("stamps", Stamps, tmp_path)

    assert all(column.base is None for column in (read.value.frame_row, read.value.stamp_ns))  # type: ignore[attr-defined]


def test_a_second_recording_replaces_the_first(tmp_path: Path):
    record(tmp_path, tick(stamps(0)), tick(stamps(1)))
    record(tmp_path, tick(stamps(1)))

    assert len(list(Recording("stamps", Stamps, tmp_path))) == 1


def test_recording_imports_nothing_that_runs_what_it_reads():
    tree = ast.parse((ROOT / "pipeline/recording.py").read_text("utf-8"))
    imported = {
        name
        for each in ast.walk(tree)
        if isinstance(each, ast.Import | ast.ImportFrom)
        for name in ([each.module] if isinstance(each, ast.ImportFrom) else [alias.name for alias in each.names])
    }

    assert imported & {"pickle", "marshal", "shelve", "dill", "joblib"} == set()


# writing


def test_each_tick_can_be_read_as_soon_as_it_is_added(tmp_path: Path):
    recorder = Recorder("stamps", Stamps, tmp_path)
    recorder.add(tick(stamps(0)))

    assert len(list(Recording("stamps", Stamps, tmp_path))) == 1
    recorder.close()


def test_a_recording_below_a_file_is_told(tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError) as caught:
        Recorder("stamps", Stamps, tmp_path / "file")

    assert str(caught.value) == (
        f"output folder '{tmp_path}/file': expected a folder, got the file '{tmp_path}/file' in its path; "
        "remove the file or give another folder with --out"
    )


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path):
    (tmp_path / "stamps.ticks").mkdir()

    with pytest.raises(PipelineError) as caught:
        Recorder("stamps", Stamps, tmp_path)

    assert str(caught.value) == (
        f"{tmp_path}/stamps.ticks: expected to write, got Is a directory; check the path or give another folder with "
        "--out"
    )


def test_a_disk_that_is_full_from_the_start_is_told(tmp_path: Path):
    (tmp_path / "stamps.ticks").symlink_to("/dev/full")

    with pytest.raises(PipelineError) as caught:
        Recorder("stamps", Stamps, tmp_path)

    assert str(caught.value) == (
        f"{tmp_path}/stamps.ticks: expected to write, got a full disk; free space or give another folder with --out; "
        "what was written stays readable"
    )


def test_a_disk_that_fills_up_is_told_and_what_was_written_stays_readable(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    recorder = Recorder("stamps", Stamps, tmp_path)
    recorder.add(tick(stamps(0)))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (tmp_path / "stamps.ticks").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, limits[1]))
    try:
        with pytest.raises(PipelineError) as caught:
            recorder.add(tick(stamps(1)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        recorder.close()

    reason = os.strerror(errno.EFBIG)
    assert str(caught.value) == (
        f"{tmp_path}/stamps.ticks: expected to write, got {reason}; check the path or give another folder with --out"
    )
    with caplog.at_level(logging.CRITICAL):
        assert len(list(Recording("stamps", Stamps, tmp_path))) == 1


# reading what is something else


def test_a_missing_recording_is_told(tmp_path: Path):
    assert refusal(tmp_path) == (
        f"--replay stamps={tmp_path}: expected the recording {tmp_path}/stamps.ticks, got: No such file or directory; "
        f"{CURE}"
    )


@pytest.mark.parametrize(
    "change", [{"edge": "tracks"}, {"kind": "Tracks"}, {"version": 2}, {"gazegraph": "model"}, {"more": 1}]
)
def test_another_recording_is_told(tmp_path: Path, change: dict[str, Any]):
    (tmp_path / "stamps.ticks").write_bytes(framed(HEADER | change))

    assert refusal(tmp_path) == (
        f"{tmp_path}/stamps.ticks: expected a recording that begins with {HEADER}, got {HEADER | change}; {CURE}"
    )


def test_a_recording_of_another_kind_is_told(tmp_path: Path):
    record(tmp_path, tick(stamps(0)))

    assert refusal(tmp_path, Notes) == (
        f"{tmp_path}/stamps.ticks: expected a recording that begins with {HEADER | {'kind': 'Notes'}}, "
        f"got {HEADER}; {CURE}"
    )


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "expected a recording that begins with {header}, got None"),
        (b"ab", "expected a recording that begins with {header}, got None"),
        (framed("x" * 1000), "expected a recording that begins with {header}, got " + repr("x" * 1000)[:200]),
        (framed([1, 2]), "expected a recording that begins with {header}, got [1, 2]"),
        (b"\x89PNG\r\n\x1a\n", f"expected a recording, got: a message of {0x474E5089} bytes"),
        (
            LENGTH.pack(3) + b"\xc1\xc1\xc1",
            "expected a recording, got: MessagePack data is malformed: invalid opcode '\\xc1' (byte 0)",
        ),
        (
            LENGTH.pack(100_001) + b"\x91" * 100_000 + b"\x01",
            "expected a recording, got: maximum recursion depth exceeded while deserializing an object",
        ),
        (b"\x80\x04\x95" + b"\x00" * 8, "expected a recording that begins with {header}, got None"),
    ],
)
def test_foreign_bytes_are_told(tmp_path: Path, content: bytes, complaint: str, caplog: pytest.LogCaptureFixture):
    (tmp_path / "stamps.ticks").write_bytes(content)

    assert refusal(tmp_path) == f"{tmp_path}/stamps.ticks: {complaint.format(header=HEADER)}; {CURE}"


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (7, "'int' object is not subscriptable"),
        ({}, "'marks'"),
        (plain(marks=[{"kind": "gone", "stream_id": "a"}]), "Invalid enum value 'gone' - at `$[0].kind`"),
        (plain(values={}), "'stamps'"),
        (plain(values={"stamps": {"frame_row": {"shape": [1], "bytes": bytes(8)}}}), "'stamp_ns'"),
        (
            plain(values={"stamps": {key: {"shape": [2], "bytes": bytes(8)} for key in ("frame_row", "stamp_ns")}}),
            "cannot reshape array of size 1 into shape (2,)",
        ),
        (
            plain(
                values={
                    "stamps": {
                        "frame_row": {"shape": [1], "bytes": b"\x05" + bytes(7)},
                        "stamp_ns": {"shape": [1], "bytes": bytes(8)},
                    }
                }
            ),
            "Stamps.frame_row: expected rows of the 1 frames of the tick, got 5 to 5",
        ),
    ],
)
def test_a_tick_that_is_none_is_told(tmp_path: Path, message: Any, complaint: str):
    (tmp_path / "stamps.ticks").write_bytes(framed(HEADER, plain(), message))
    ticks = Recording("stamps", Stamps, tmp_path)
    next(ticks)

    with pytest.raises(PipelineError) as caught:
        next(ticks)

    assert str(caught.value) == f"{tmp_path}/stamps.ticks: tick 1: expected a recorded tick, got: {complaint}; {CURE}"


def test_a_recording_that_was_cut_off_ends_before_the_cut(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    file = record(tmp_path, tick(stamps(0)), tick(stamps(1)))
    whole = file.read_bytes()
    (first,) = list(Recording("stamps", Stamps, tmp_path))[:1]
    second_at = len(framed(HEADER)) + (len(whole) - len(framed(HEADER))) // 2

    for size in range(second_at, len(whole), 7):
        file.write_bytes(whole[:size])
        (read,) = Recording("stamps", Stamps, tmp_path)

        assert equal(read.value, first.value)

    assert {record.getMessage() for record in caplog.records} == {
        f"{file}: the last tick is cut off; the recording ends before it"
    }
    assert len(caplog.records) == len(range(second_at, len(whole), 7)) - 1  # a cut between two ticks is none


@given(st.data())
def test_damaged_bytes_never_end_in_anything_but_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    folder = tmp_path_factory.mktemp("recording")
    file = record(folder, tick(stamps(0)), tick(stamps(1)))
    content = bytearray(file.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    file.write_bytes(content)

    def values(ticks: Iterator[Any]) -> list[Any]:
        return [json.loads(json.dumps(each.value.frame_row.tolist())) for each in ticks]

    try:
        assert len(values(Recording("stamps", Stamps, folder))) <= 2
    except PipelineError as error:
        assert str(error).startswith(str(file))


def test_after_the_end_and_after_closing_nothing_comes(tmp_path: Path):
    record(tmp_path, tick(stamps(0)))
    read, closed = Recording("stamps", Stamps, tmp_path), Recording("stamps", Stamps, tmp_path)

    closed.close()

    assert (len(list(read)), len(list(read)), len(list(closed))) == (1, 0, 0)


def test_a_length_that_no_tick_has_is_refused_before_anything_is_read(tmp_path: Path):
    (tmp_path / "stamps.ticks").write_bytes(LENGTH.pack(MAX_MESSAGE_BYTES + 1))

    assert refusal(tmp_path) == (
        f"{tmp_path}/stamps.ticks: expected a recording, got: a message of {MAX_MESSAGE_BYTES + 1} bytes; {CURE}"
    )


# beside pictures that are read again


def test_a_recorded_value_joins_the_tick_it_was_made_from(tmp_path: Path):
    made = tick(stamps(0, 1))
    record(tmp_path, made)
    (read,) = Recording("stamps", Stamps, tmp_path)

    assert rejoin(read, made, "stamps") is read.value


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (tick(stamps(), 1), "'shop' at 0.000 s"),
        (tick(stamps(), 2, start_s=1), "'shop' at 1.000 s, 'shop' at 1.040 s"),
        (tick(stamps(), 2, stream="bar"), "'bar' at 0.000 s, 'bar' at 0.040 s"),
        (tick(stamps(), 2, Mark("ended", "shop", 0, 40_000_000)), "{same}, 'shop' ended at 0.040 s"),
        (tick(stamps(), 0), "nothing"),
    ],
)
def test_a_recording_of_other_frames_is_told(tmp_path: Path, other: Tick, told: str):
    record(tmp_path, tick(stamps(0, 1)))
    (read,) = Recording("stamps", Stamps, tmp_path)
    same = "'shop' at 0.000 s, 'shop' at 0.040 s"

    with pytest.raises(PipelineError) as caught:
        rejoin(read, other, "stamps")

    assert str(caught.value) == (
        f"--replay stamps: tick 0: expected {same} as recorded, got {told.format(same=same)}; "
        "replay with the input, streams and batch size of the recording"
    )


def test_recorded_frames_get_to_know_the_streams_of_the_run():
    known = {"shop": stream("shop"), "bar": stream("bar")}

    assert with_streams(frames(1), (), known).streams == {"shop": known["shop"]}
    assert with_streams(frames(0), (Mark("ended", "bar"),), known).streams == {"bar": known["bar"]}


def test_recorded_streams_that_are_not_run_are_told():
    with pytest.raises(ConfigError) as caught:
        with_streams(frames(2, ("shop", "bar")), (), {"shop": stream(), "door": stream("door")})

    assert str(caught.value) == (
        "--replay: expected streams of this run (shop, door), got recorded bar; add --source bar=..."
    )
