"""What is no recording, another one, or a damaged one is refused with a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError, PipelineError
from pipeline.marks import Mark
from pipeline.recording import LENGTH, MAX_MESSAGE_BYTES, Recorder, Recording
from pipeline.tick import Slot, Tick
from pipeline.values import Value, equal
from tests.helpers import frames, table
from tests.pipeline.rig import Notes, Stamps

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
        ({}, "no 'marks'"),
        (plain(marks=[{"kind": "gone", "stream_id": "a"}]), "Invalid enum value 'gone' - at `$[0].kind`"),
        (plain(values={}), "no 'stamps'"),
        (plain(values={"stamps": {"frame_row": {"shape": [1], "bytes": bytes(8)}}}), "no 'stamp_ns'"),
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
