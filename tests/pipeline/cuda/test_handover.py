"""Values on the device pass from thread to thread: read too early, or let go too early, they would be rubbish."""

from __future__ import annotations

import gc
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.ledger import Ledger
from pipeline.marks import Mark
from pipeline.recording import Recorder, Recording
from pipeline.running import RunningNode
from pipeline.sinks import SinkLane
from pipeline.stage import run_stage
from pipeline.tick import Slot, Tick
from pipeline.values import Value, column, concat, on_device
from tests.cuda_device import CudaDeviceOnCpu
from tests.fake_streams import Stream
from tests.helpers import FakeContext, frames
from tests.pipeline.bench import STOP
from tests.pipeline.rig import FakeClock, node_class, spec

HERE = np.arange(12, dtype=np.float32).reshape(3, 4)


@dataclass(frozen=True, eq=False)
class Marked(Value):
    """Rows with something that may lie on a device."""

    frame_row: np.ndarray = column(np.int64)
    far: np.ndarray = column(np.float32, 4, on_device=True)
    wide: np.ndarray = column(np.float64, on_device=True)


@pytest.fixture
def device() -> CudaDeviceOnCpu:
    return CudaDeviceOnCpu()


def made(device: CudaDeviceOnCpu, factor: float = 1.0) -> Marked:
    """Return rows that this thread has begun to make on the device."""
    far = device.xp.asarray(HERE) * factor
    return Marked(np.arange(3), far, device.xp.astype(far[:, 0], np.float64) + 0.5)


@contextmanager
def other_thread() -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """Give what does something in one other thread, again and again, and returns what it returns."""
    work: list[Any] = []
    told: list[Any] = []
    turn, done = threading.Semaphore(0), threading.Semaphore(0)

    def run() -> None:
        while turn.acquire() and work:
            try:
                told.append(work.pop()())
            except BaseException as error:
                told.append(error)
            done.release()

    thread = threading.Thread(target=run)
    thread.start()

    def do(what: Callable[[], Any]) -> Any:
        work.append(what)
        turn.release()
        done.acquire()
        if isinstance(told[-1], BaseException):
            raise told.pop()
        return told.pop()

    try:
        yield do
    finally:
        turn.release()
        thread.join()


def doubled(device: CudaDeviceOnCpu, slot: Slot) -> Any:
    """Begin to double what lies in a slot."""
    value: Any = slot.value
    with device.reading((value, slot.ready)):
        device.to_host(device.xp.asarray(HERE))  # all that was begun before is over, the rest is not
        return value.far * 2.0


def test_who_reads_waits_until_it_is_made(device: CudaDeviceOnCpu) -> None:
    slot = Slot.of(made(device), device)

    with other_thread() as there:
        told = there(lambda: device.to_host(doubled(device, slot)))

    np.testing.assert_array_equal(told, 2 * HERE)


def test_what_another_thread_still_reads_is_not_given_back(device: CudaDeviceOnCpu) -> None:
    slots = [Slot.of(made(device), device)]

    with other_thread() as there:
        begun = there(lambda: doubled(device, slots[0]))
        slots.clear()
        gc.collect()
        other = doubled(device, Slot.of(made(device), device))  # what is read by now may be let go
        device.to_host(other)  # and memory of this thread's that is free by now is rubbish
        told = there(lambda: device.to_host(begun))

    np.testing.assert_array_equal(told, 2 * HERE)


def test_what_was_passed_on_and_read_again_is_not_given_back(device: CudaDeviceOnCpu) -> None:
    """A column that one thread made, in a value that another made, read by a second node of that thread."""
    slots = [Slot.of(made(device), device)]

    def passed_on() -> Slot:
        doubled(device, slots[0])
        return Slot.of(slots[0].value, device)

    with other_thread() as there:
        slots.append(there(passed_on))
        there(lambda: device.to_host(device.xp.asarray(HERE)))  # the first reader is through
        begun = there(lambda: doubled(device, slots[1]))
        slots.clear()
        gc.collect()
        device.to_host(device.xp.asarray(HERE))
        told = there(lambda: device.to_host(begun))

    np.testing.assert_array_equal(told, 2 * HERE)


def test_the_stand_in_shows_a_wait_that_is_left_out(device: CudaDeviceOnCpu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stream, "wait_event", lambda self, event: None)
    slot = Slot.of(made(device), device)

    with other_thread() as there:
        told = there(lambda: device.to_host(doubled(device, slot)))

    assert not np.array_equal(told, 2 * HERE)


def test_the_stand_in_shows_what_is_let_go_too_early(device: CudaDeviceOnCpu) -> None:
    device._handover._read = deque(maxlen=0)
    slots = [Slot.of(made(device), device)]

    with other_thread() as there:
        begun = there(lambda: doubled(device, slots[0]))
        slots.clear()
        gc.collect()
        device.to_host(device.xp.asarray(HERE))
        told = there(lambda: device.to_host(begun))

    assert not np.array_equal(told, 2 * HERE)


def test_what_was_read_is_let_go(device: CudaDeviceOnCpu) -> None:
    used = []
    for factor in range(20):
        slot = Slot.of(made(device, factor), device)
        device.to_host(doubled(device, slot))
        used.append(device.held_bytes())

    assert max(used[2:]) <= max(used[:2])


def test_a_value_comes_to_the_host_in_one_copy_and_once(device: CudaDeviceOnCpu) -> None:
    slot = Slot.of(made(device), device)

    with other_thread() as there:
        told: Any = there(lambda: slot.on_host)

    assert slot.on_host is told
    np.testing.assert_array_equal(told.far, HERE)
    np.testing.assert_array_equal(told.wide, HERE[:, 0] + 0.5)
    assert (on_device(told), told.wide.dtype) == ({}, np.float64)
    assert device.traffic.total("to_host") == (1, 3 * (4 * 4 + 8))


def test_arrays_of_all_kinds_come_in_one_copy(device: CudaDeviceOnCpu) -> None:
    xp = device.xp
    numbers, few = np.arange(3, dtype=np.int64), np.array([True, False, True])
    given = [few, np.float32([[1, 2]]), np.empty((0, 3), np.float64), numbers, HERE.T]
    there = [xp.asarray(few), given[1], xp.asarray(given[2]), xp.asarray(numbers), xp.asarray(HERE).T]

    told = device.all_to_host(*there)

    for one, other in zip(told, given, strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        np.testing.assert_array_equal(one, other)
    assert sum(device.traffic.copies.values()) == 1
    assert device.all_to_host() == []


def test_rows_are_taken_and_joined_where_they_are(device: CudaDeviceOnCpu) -> None:
    whole = made(device)

    some = concat([whole.take(np.array([True, False, True])), whole.take([1])])

    assert whole.take([0, 1, 2]).far is whole.far
    np.testing.assert_array_equal(device.to_host(some.far), HERE[[0, 2, 1]])
    assert some.frame_row.tolist() == [0, 2, 1]


def test_columns_of_the_host_are_not_made_on_a_device(device: CudaDeviceOnCpu) -> None:
    with pytest.raises(ValueError) as error:
        Marked(device.xp.asarray(np.arange(3)), HERE, HERE[:, 0].astype(np.float64))

    told = "Marked.frame_row: expected an array on the host, got DeviceArray; use Device.to_host"
    assert str(error.value) == told


# in the graph


def node(device: CudaDeviceOnCpu, process: Callable[..., Any], **members: Any) -> RunningNode:
    """Return a node that reads the edge `made`, on a device."""
    made = spec("next", node_class(process, **members), made="made")
    return RunningNode(made, made.cls(made.config, FakeContext(device=device)))


def tick(device: CudaDeviceOnCpu, *marks: Mark) -> Tick:
    """Return a tick of three frames of two streams, with a value on the device."""
    batch = frames(3, ("a", "b", "a"), pts_s=(0, 0, 0.04))
    return Tick(0, batch, marks, {"frames": Slot(batch), "made": Slot.of(made(device), device)})


def test_a_port_gets_what_lies_on_the_device_only_where_the_class_says_so(device: CudaDeviceOnCpu) -> None:
    got: list[Marked] = []

    def process(self: Any, made: Marked) -> Marked:
        got.append(made)
        return made

    given = tick(device)
    outputs = [node(device, process, **more).call(given) for more in ({}, {"reads_on_device": frozenset({"made"})})]

    assert [list(on_device(value)) for value in got] == [[], ["far", "wide"]]
    np.testing.assert_array_equal(got[0].far, HERE)
    assert outputs[1] is not None and list(on_device(outputs[1])) == ["far", "wide"]


def test_a_stage_reads_what_the_one_before_has_only_begun(device: CudaDeviceOnCpu) -> None:
    def process(self: Any, made: Marked) -> Marked:
        return Marked(made.frame_row, made.far * 2.0, made.wide)

    given = [tick(device)]
    one = node(device, process, reads_on_device=frozenset({"made"}))
    with other_thread() as there:
        there(lambda: device.xp)  # the thread has a stream
        given.append(there(lambda: run_stage([one], given[0], STOP, Ledger())))
        slot = given[1].slots["next"]
        given.clear()  # the tick has left the graph
        gc.collect()
        device.to_host(device.xp.asarray(HERE))
        told: Any = there(lambda: slot.on_host)

    np.testing.assert_array_equal(told.far, 2 * HERE)


def test_rows_of_frames_that_are_dropped_leave_values_on_the_device(device: CudaDeviceOnCpu) -> None:
    whole = tick(device)

    with other_thread() as there:
        rest = there(lambda: whole.without_streams({"b"}))
        told: Any = rest.slots["made"].on_host  # back in this thread

    np.testing.assert_array_equal(told.far, HERE[[0, 2]])
    assert told.frame_row.tolist() == [0, 1]


def test_what_lies_on_the_device_is_recorded(device: CudaDeviceOnCpu, tmp_path: Path) -> None:
    recorder = Recorder("made", Marked, tmp_path)
    recorder.add(tick(device))
    recorder.close()

    (read,) = Recording("made", Marked, tmp_path)

    assert isinstance(read.value, Marked)
    np.testing.assert_array_equal(read.value.far, HERE)


def test_a_sink_behind_a_queue_gets_what_lies_on_the_device(device: CudaDeviceOnCpu) -> None:
    got: list[Marked] = []

    def process(self: Any, made: Marked) -> None:
        got.append(made)

    lane = SinkLane(node(device, process, sink_policy="keep"), 1, FakeClock(), Ledger())
    for _ in range(2):  # the second waits on disk
        lane.offer(tick(device))
    lane.close()
    lane.run()

    assert lane.spilled == 1
    for one in got:
        np.testing.assert_array_equal(one.far, HERE)
