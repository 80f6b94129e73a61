"""Values on a device in the graph: each node gets them as it says, what is recorded or waits on disk is on the host."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cuda import riders
from pipeline.ledger import Ledger
from pipeline.marks import Mark
from pipeline.recording import Recorder, Recording
from pipeline.running import RunningNode
from pipeline.sinks import SinkLane
from pipeline.stage import run_stage
from pipeline.tick import Slot, Tick
from pipeline.values import on_device
from tests.cuda_device import CudaDeviceOnCpu
from tests.helpers import FakeContext, frames
from tests.pipeline.bench import STOP
from tests.pipeline.cuda.far_values import HERE, Marked, made, other_thread
from tests.pipeline.rig import FakeClock, node_class, spec


@pytest.fixture
def device() -> CudaDeviceOnCpu:
    return CudaDeviceOnCpu()


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


def reader(device: CudaDeviceOnCpu, copies: int, **members: Any) -> RunningNode:
    """Return a node that reads `made` on the device, and brings something of its own to the host so many times."""

    def process(self: Any, made: Marked) -> Marked:
        for _ in range(copies):
            (got,) = self.context.device.all_to_host(made.far * 3.0)
            np.testing.assert_array_equal(got, 3 * HERE)
        return made

    running = node(device, process, reads_on_device=frozenset({"made"}))
    running.wanted = frozenset({"made"})
    return running


@pytest.mark.parametrize("copies", [1, 2])
def test_what_is_wanted_on_the_host_rides_along_with_the_first_copy(device: CudaDeviceOnCpu, copies: int) -> None:
    given = tick(device)

    reader(device, copies).call(given)

    assert device.traffic.total("to_host")[0] == copies
    told: Any = given.slots["made"].on_host
    assert device.traffic.total("to_host")[0] == copies
    np.testing.assert_array_equal(told.far, HERE)
    np.testing.assert_array_equal(told.wide, HERE[:, 0].astype(np.float64) + 0.5)


def test_what_is_large_has_a_copy_of_its_own(device: CudaDeviceOnCpu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(riders, "MOST_BYTES", 8)
    given = tick(device)

    reader(device, 1).call(given)

    assert device.traffic.total("to_host") == (1, HERE.nbytes)
    told: Any = given.slots["made"].on_host
    np.testing.assert_array_equal(told.far, HERE)


def test_what_finds_no_copy_to_ride_with_has_its_own(device: CudaDeviceOnCpu) -> None:
    given = tick(device)

    reader(device, 0).call(given)
    device.all_to_host(device.xp.asarray(HERE))

    told: Any = given.slots["made"].on_host
    assert device.traffic.total("to_host")[0] == 2
    np.testing.assert_array_equal(told.far, HERE)


def test_what_is_on_the_host_already_does_not_ride(device: CudaDeviceOnCpu) -> None:
    given = tick(device)
    there = given.slots["made"].on_host
    size = device.traffic.total("to_host")[1]

    reader(device, 1).call(given)

    assert given.slots["made"].on_host is there
    assert device.traffic.total("to_host")[1] == size + HERE.nbytes


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
