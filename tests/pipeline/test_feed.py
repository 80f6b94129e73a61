"""Ticks come from sources, from recordings, or from both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.admission import Admission
from pipeline.errors import ConfigError, PipelineError
from pipeline.feed import (
    batched,
    open_recording,
    ticks_from_recordings,
    ticks_from_sources,
)
from pipeline.ledger import Ledger
from pipeline.marks import Mark
from pipeline.recording import Recorder, Recording
from pipeline.settings import EngineConfig
from pipeline.tick import Slot, Tick, no_frames
from pipeline.transit import Transit
from tests.helpers import frames, table
from tests.pipeline.rig import FakeClock, Stamps, branches, frame, stream

STREAMS = {"shop": stream("shop"), "bar": stream("bar")}
BEGUN, ENDED = Mark("begun", "shop"), Mark("ended", "shop", 0, 40_000_000)


def tick(*rows: int, count: int = 1, marks: tuple[Mark, ...] = (), **options: Any) -> Tick:
    value = table(Stamps, frame_row=rows, stamp_ns=[7] * len(rows))
    batch = frames(count, **options) if count else no_frames(*STREAMS.values())
    return Tick(0, batch, marks, {"stamps": Slot(value), "more": Slot(value)})


def recorded(folder: Path, *ticks: Tick, edges: Sequence[str] = ("stamps",)) -> dict[str, Path]:
    """Record ticks on some edges; return what --replay takes."""
    for edge in edges:
        recorder = Recorder(edge, Stamps, folder)
        for each in ticks:
            recorder.add(each)
        recorder.close()
    return dict.fromkeys(edges, folder)


@contextmanager
def opened(replay: dict[str, Path]) -> Iterator[dict[str, Recording]]:
    recordings = {edge: open_recording(branches(), edge, folder) for edge, folder in replay.items()}
    with ExitStack() as stack:
        for recording in recordings.values():
            stack.callback(recording.close)
        yield recordings


def replayed(replay: dict[str, Path], max_frames: int | None = None, stop_after: int = 99) -> list[Tick]:
    done: list[Tick] = []
    with opened(replay) as recordings:
        ticks = ticks_from_recordings(
            recordings, branches().source, STREAMS, Ledger(), max_frames, lambda: len(done) >= stop_after
        )
        for each in ticks:
            done.append(each)  # one by one: what is done decides when to stop
    return done


def test_recorded_ticks_come_as_they_were(tmp_path: Path):
    given = [tick(count=0, marks=(BEGUN,)), tick(0, 1, count=2), tick(count=0, marks=(ENDED,))]

    done = replayed(recorded(tmp_path, *given))

    assert [each.number for each in done] == [0, 1, 2]
    assert [each.marks for each in done] == [(BEGUN,), (), (ENDED,)]
    assert [each.frames.pts_ns.tolist() for each in done] == [[], [0, 40_000_000], []]
    assert [list(each.frames.streams) for each in done] == [["shop"]] * 3
    assert [list(each.slots) for each in done] == [["frames", "stamps"]] * 3
    assert all(each.slots["frames"].value is each.frames for each in done)
    assert done[1].slots["stamps"].value.frame_row.tolist() == [0, 1]  # type: ignore[attr-defined]


def test_frames_that_come_from_a_recording_are_counted(tmp_path: Path):
    ledger = Ledger()

    with opened(recorded(tmp_path, tick(count=2), tick(count=3))) as recordings:
        list(ticks_from_recordings(recordings, branches().source, STREAMS, ledger, None, lambda: False))

    assert ledger.to_dict()["frames"]["in"] == 5


def test_a_recording_that_was_cut_off_ends_its_streams(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    both = tick(0, 1, stream=("shop", "bar"), count=2, pts_s=(1, 2), generation=(3, 0))
    bar_ended = tick(count=0, marks=(Mark("ended", "bar", 0, 2_000_000_000),))
    replay = recorded(tmp_path, both, bar_ended, tick(count=0, marks=(ENDED,)))
    file = tmp_path / "stamps.ticks"
    file.write_bytes(file.read_bytes()[:-1])

    done = replayed(replay)

    assert [each.marks for each in done[1:]] == [bar_ended.marks, (Mark("ended", "shop", 3, 1_000_000_000),)]
    last = done[-1]
    assert (last.number, len(last.frames), list(last.frames.streams)) == (2, 0, ["shop"])
    assert (len(last.slots["frames"].value), len(last.slots["stamps"].value)) == (0, 0)


def test_a_stream_that_only_began_is_ended_too(tmp_path: Path):
    done = replayed(recorded(tmp_path, tick(count=0, marks=(BEGUN,))))

    assert [each.marks for each in done] == [(BEGUN,), (Mark("ended", "shop", 0, 0),)]


def test_a_replay_that_is_stopped_ends_its_streams(tmp_path: Path):
    done = replayed(recorded(tmp_path, *(tick(0, start_s=second) for second in range(5))), stop_after=2)

    assert [each.marks for each in done] == [(), (), (Mark("ended", "shop", 0, 1_000_000_000),)]
    assert [len(each.slots["stamps"].value) for each in done] == [1, 1, 0]


def test_a_replay_keeps_to_the_first_frames_of_each_stream(tmp_path: Path):
    given = [tick(0, 1, 2, count=3), tick(0, 1, count=2, start_s=0.12), tick(count=0, marks=(ENDED,))]

    done = replayed(recorded(tmp_path, *given), max_frames=2)

    assert [each.frames.frame_index.tolist() for each in done] == [[0, 1], [], []]
    assert [len(each.slots["stamps"].value) for each in done] == [2, 0, 0]
    assert done[-1].marks == (ENDED,)


def test_an_empty_recording_is_an_empty_run(tmp_path: Path):
    assert replayed(recorded(tmp_path)) == []


def test_recorded_streams_that_are_not_run_are_told(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"^--replay: expected streams of this run \(shop, bar\), got recorded door;"):
        replayed(recorded(tmp_path, tick(0, stream="door")))


# several recordings


def test_several_edges_of_one_run_are_put_together(tmp_path: Path):
    done = replayed(recorded(tmp_path, tick(0), tick(count=0, marks=(ENDED,)), edges=["stamps", "more"]))

    assert [list(each.slots) for each in done] == [["frames", "stamps", "more"]] * 2


def test_what_lies_above_the_last_edge_sees_what_was_left_there(tmp_path: Path):
    both = tick(0, 1, count=2, stream=("shop", "bar"))
    left = tick(0, count=1, stream="bar", pts_s=[0.04])
    replay = recorded(tmp_path / "a", both) | recorded(tmp_path / "b", left, edges=["more"])

    (done, _) = replayed(replay)

    assert done.frames.stream_id == ("bar",)
    assert [done.slots[edge].value.frame_row.tolist() for edge in ("stamps", "more")] == [[0], [0]]  # type: ignore[attr-defined]


def test_frames_of_a_recording_have_no_age(tmp_path: Path):
    given = tick(0)
    given.frames.arrived_ns[:] = 5

    (done, _) = replayed(recorded(tmp_path, given))

    assert done.frames.arrived_ns.tolist() == [0]


def test_edges_of_different_runs_are_told(tmp_path: Path):
    replay = recorded(tmp_path / "a", tick(0)) | recorded(tmp_path / "b", tick(0, start_s=1), edges=["more"])

    with pytest.raises(PipelineError) as caught:
        replayed(replay)

    assert str(caught.value) == (
        "--replay stamps: tick 0: expected 'shop' at 1.000 s as on the other edges, got 'shop' at 0.000 s; "
        "replay edges that were recorded in one run"
    )


def test_the_recording_that_ends_first_ends_the_replay(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    first, second = tick(0), tick(0, start_s=1)
    replay = recorded(tmp_path / "a", first, second) | recorded(tmp_path / "b", first, edges=["more"])

    done = replayed(replay)

    assert [each.marks for each in done] == [(), (Mark("ended", "shop", 0, 0),)]
    assert [record.getMessage() for record in caplog.records] == [
        "--replay: the recording of more ends before that of stamps; the rest is not used"
    ]


# sources


def admission(batch_size: int = 1) -> Admission:
    settings = EngineConfig(batch_size=batch_size)
    made = Admission([STREAMS["shop"]], settings, FakeClock(), Transit(FakeClock()), Ledger(), "frames")
    for index in range(2):
        made.offer("shop", frame(index))
    made.end("shop")
    return made


def test_ticks_of_sources_have_frames_or_a_mark():
    done = list(ticks_from_sources(admission(), branches().source, {}, lambda: False))

    assert [each.number for each in done] == [0, 1, 2, 3]
    assert [each.marks for each in done] == [(BEGUN,), (), (), (ENDED,)]
    assert [len(each.frames) for each in done] == [0, 1, 1, 0]
    assert [list(each.frames.streams) for each in done] == [["shop"]] * 4
    assert all(each.slots["frames"].value is each.frames for each in done)


def test_frames_of_a_tick_carry_all_that_is_known_of_them():
    taken: Any = next(each for each in iter(admission(2).take, None) if isinstance(each, list))

    batch = batched(taken)

    assert batch.stream_id == ("shop", "shop")
    assert batch.pts_ns.tolist() == [0, 40_000_000]
    assert batch.frame_index.tolist() == [0, 1]
    assert batch.generation.tolist() == batch.arrived_ns.tolist() == [0, 0]
    assert batch.size_wh.tolist() == [[4, 2], [4, 2]]
    assert [int(picture.planes[0][0, 0, 0]) for picture in batch.pictures] == [0, 1]
    assert batch.streams == {"shop": STREAMS["shop"]}
    assert np.issubdtype(batch.size_wh.dtype, np.int32)


def joined(replay: dict[str, Path], batch_size: int = 1, stopped: bool = False) -> list[Tick]:
    with opened(replay) as recordings:
        return list(ticks_from_sources(admission(batch_size), branches().source, recordings, lambda: stopped))


def test_recorded_values_join_the_ticks_of_sources(tmp_path: Path):
    given = [tick(count=0, marks=(BEGUN,)), tick(0), tick(0, start_s=0.04), tick(count=0, marks=(ENDED,))]

    done = joined(recorded(tmp_path, *given))

    assert [list(each.slots) for each in done] == [["frames", "stamps"]] * 4
    assert [len(each.frames.pictures) for each in done] == [0, 1, 1, 0]


def test_a_recording_of_less_than_the_input_is_told(tmp_path: Path):
    with pytest.raises(PipelineError) as caught:
        joined(recorded(tmp_path, tick(count=0, marks=(BEGUN,)), tick(0)))

    assert str(caught.value) == (
        "--replay stamps: expected a value for tick 2, got the end of the recording; "
        "replay with the input, streams and batch size of the recording"
    )


def test_a_recording_with_another_batch_size_is_told(tmp_path: Path):
    given = [tick(count=0, marks=(BEGUN,)), tick(0), tick(0, start_s=0.04), tick(count=0, marks=(ENDED,))]

    with pytest.raises(PipelineError) as caught:
        joined(recorded(tmp_path, *given), batch_size=2)

    assert str(caught.value) == (
        "--replay stamps: tick 1: expected 'shop' at 0.000 s as recorded, got 'shop' at 0.000 s, 'shop' at 0.040 s; "
        "replay with the input, streams and batch size of the recording"
    )


def test_after_a_stop_the_ends_of_streams_need_not_be_those_of_the_recording(tmp_path: Path):
    given = [tick(count=0, marks=(BEGUN,)), tick(0), tick(0, start_s=0.08), tick(0, start_s=0.12)]

    done = joined(recorded(tmp_path, *given), stopped=True)

    assert [len(each.slots["stamps"].value) for each in done] == [0, 1, 0, 0]
    assert [each.marks for each in done] == [(BEGUN,), (), (), (ENDED,)]


def test_after_a_stop_a_recording_may_have_ended(tmp_path: Path):
    done = joined(recorded(tmp_path, tick(count=0, marks=(BEGUN,))), stopped=True)

    assert [len(each.slots["stamps"].value) for each in done] == [0, 0, 0, 0]
