"""Values on the device pass from thread to thread: read too early, or let go too early, they would be rubbish."""

from __future__ import annotations

import gc
from collections import deque
from typing import Any

import numpy as np
import pytest

from pipeline.tick import Slot
from pipeline.values import concat, on_device
from tests.cuda_device import CudaDeviceOnCpu
from tests.fake_streams import Stream
from tests.pipeline.cuda.far_values import HERE, Marked, made, other_thread


@pytest.fixture
def device() -> CudaDeviceOnCpu:
    return CudaDeviceOnCpu()


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

    assert (whole.take([0, 1, 2]).far.data.ptr, whole.take([1, 2]).wide.data.ptr) == (
        whole.far.data.ptr,
        whole.wide.data.ptr + 8,
    )  # the same memory
    np.testing.assert_array_equal(device.to_host(whole.take([1, 2]).far), HERE[1:])
    np.testing.assert_array_equal(device.to_host(whole.take([-2, -1]).far), HERE[1:])
    assert whole.take([]).far.shape == (0, 4)
    np.testing.assert_array_equal(device.to_host(some.far), HERE[[0, 2, 1]])
    assert some.frame_row.tolist() == [0, 2, 1]


def test_columns_of_the_host_are_not_made_on_a_device(device: CudaDeviceOnCpu) -> None:
    with pytest.raises(ValueError) as error:
        Marked(device.xp.asarray(np.arange(3)), HERE, HERE[:, 0].astype(np.float64))

    told = "Marked.frame_row: expected an array on the host, got DeviceArray; use Device.to_host"
    assert str(error.value) == told
