"""What was recorded is read back bit for bit, and joins the ticks that it was made from."""

from __future__ import annotations

import ast
import errno
import logging
import os
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.types import GazeMaps
from pipeline.errors import ConfigError, PipelineError
from pipeline.marks import Mark
from pipeline.recording import Recorder, Recording
from pipeline.tick import Slot, Tick, no_frames
from pipeline.values import Value, equal
from tests.helpers import frames, table
from tests.pipeline.rig import Notes, Stamps, stream
from tests.repository import ROOT


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
        rng.integers(-(2**62), 2**62, count),
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
