"""The CUDA device on a stand-in that is late with everything: not waiting, or letting go too early, gives rubbish."""

from __future__ import annotations

import gc
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from pipeline.device import open_device
from pipeline.frames import FrameBatch, Picture
from pipeline.session import open_session
from tests.cuda_device import CudaDeviceOnCpu
from tests.helpers import frames
from tests.pipeline.cuda.on_cpu import CompiledKernels
from tests.pipeline.tiny_model import install, model

CPU = open_device("cpu")
SIZE = (32, 24)
TOLERANCE = 2.5
"""Grey levels. The CPU rounds to whole ones after each halving and before the colours, which triples an error."""


@pytest.fixture
def cuda(compiled_kernels: CompiledKernels) -> CudaDeviceOnCpu:
    return CudaDeviceOnCpu(compiled_kernels)


def shown(count: int = 2, seed: int = 3) -> FrameBatch:
    """Return frames of 64 x 48 px with soft content, in planes."""
    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        planes = [
            np.kron(rng.integers(60, 190, (side, side + 1)), np.ones((fine, fine))).astype(np.uint8)
            for side, fine in ((3, 16), (3, 8), (3, 8))
        ]
        pictures.append(Picture(tuple(planes), "i420"))
    return frames(count, pictures=pictures, size_wh=(64, 48))


def in_thread(work: Any) -> Any:
    """Do something in another thread, and return what it returns."""
    told: list[Any] = []
    thread = threading.Thread(target=lambda: told.append(work()))
    thread.start()
    thread.join()
    return told[0]


@pytest.mark.parametrize("how", ["stretch", "letterbox"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_model_inputs_are_those_of_the_cpu(cuda: CudaDeviceOnCpu, how: Any, dtype: Any) -> None:
    batch = shown()

    made = cuda.model_input(batch, (30, 30), how=how, dtype=dtype)

    wanted = CPU.model_input(batch, (30, 30), how=how, dtype=dtype)
    assert (made.shape, made.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_allclose(cuda.to_host(made).astype(float), wanted, atol=TOLERANCE)


def test_crops_are_those_of_the_cpu_and_only_their_pictures_go_to_the_device(cuda: CudaDeviceOnCpu) -> None:
    batch, row = shown(3), np.array([2, 0, 2])
    boxes = np.array([[0.1, 0.1, 0.6, 0.9], [0, 0, 1, 1], [-0.2, 0.4, 0.4, 1.3]])

    made = cuda.crops(batch, row, boxes, SIZE, layout="nhwc")

    np.testing.assert_allclose(cuda.to_host(made), CPU.crops(batch, row, boxes, SIZE, layout="nhwc"), atol=TOLERANCE)
    assert cuda.traffic.total("to_device", "pictures")[0] == 2


def test_nothing_at_all_is_an_array_without_rows(cuda: CudaDeviceOnCpu) -> None:
    assert cuda.to_host(cuda.model_input(frames(0), SIZE)).shape == (0, 3, 24, 32)
    assert cuda.to_host(cuda.crops(shown(), np.zeros(0, int), np.zeros((0, 4)), SIZE)).shape == (0, 3, 24, 32)


@pytest.mark.parametrize("rows", [0, 2])
def test_what_a_model_says_is_an_array_in_its_memory(cuda: CudaDeviceOnCpu, tmp_path: Path, rows: int) -> None:
    install(tmp_path, model())
    session = open_session("tiny", cuda, tmp_path)

    said = session.run({"x": cuda.xp.asarray(np.ones((rows, 3), np.float32))})["y"]
    session.close()

    np.testing.assert_array_equal(cuda.to_host(said), np.tile(np.float32([2, 3, 4]), (rows, 1)))


def test_libraries_of_cuda_are_loaded_before_a_model_can_be(
    compiled_kernels: CompiledKernels, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: sys.stdout.write("Failed to load libcudnn.so.9\n"))

    CudaDeviceOnCpu(compiled_kernels)

    assert capsys.readouterr() == ("", "Failed to load libcudnn.so.9\n")


def test_a_picture_goes_to_the_device_once_for_all_threads_and_models(cuda: CudaDeviceOnCpu) -> None:
    batch = shown(1)
    wanted = CPU.model_input(batch, SIZE)

    first = cuda.model_input(batch, SIZE)  # on this thread's stream, which nobody has waited for when the next reads
    second = in_thread(lambda: cuda.to_host(cuda.model_input(batch, SIZE)))

    np.testing.assert_allclose(second, wanted, atol=TOLERANCE)
    np.testing.assert_allclose(cuda.to_host(first), wanted, atol=TOLERANCE)
    assert cuda.traffic.total("to_device", "pictures") == (1, 64 * 48 * 3 // 2)


def test_a_picture_that_dies_early_stays_until_it_has_been_read(cuda: CudaDeviceOnCpu) -> None:
    batch = shown(1)
    wanted = CPU.model_input(batch, SIZE)

    made = cuda.model_input(batch, SIZE)
    del batch
    gc.collect()
    again = cuda.to_host(cuda.model_input(shown(1, seed=4), SIZE))

    np.testing.assert_allclose(again, CPU.model_input(shown(1, seed=4), SIZE), atol=TOLERANCE)
    np.testing.assert_allclose(cuda.to_host(made), wanted, atol=TOLERANCE)


def test_what_another_thread_still_reads_is_not_given_back(cuda: CudaDeviceOnCpu) -> None:
    shared, begun, gone, told = [shown(1)], threading.Event(), threading.Event(), []
    wanted = CPU.model_input(shared[0], SIZE)
    cuda.to_host(cuda.model_input(shared[0], SIZE))  # the planes lie in memory of this thread's stream

    def reads() -> None:
        made = cuda.model_input(shared[0], SIZE)
        begun.set()
        gone.wait()
        told.append(cuda.to_host(made))

    thread = threading.Thread(target=reads)
    thread.start()
    begun.wait()
    shared.clear()
    gc.collect()
    for seed in range(3):  # memory that was free by now would be rubbish
        cuda.to_host(cuda.model_input(shown(1, seed=seed), SIZE))
    gone.set()
    thread.join()

    np.testing.assert_allclose(told[0], wanted, atol=TOLERANCE)


def test_memory_does_not_grow_with_the_pictures(cuda: CudaDeviceOnCpu) -> None:
    used = []
    for seed in range(30):
        cuda.to_host(cuda.model_input(shown(2, seed=seed), SIZE))
        used.append(cuda.held_bytes())

    assert max(used[2:]) <= max(used[:2])


def test_only_what_was_counted_crosses(cuda: CudaDeviceOnCpu) -> None:
    made = cuda.model_input(shown(), SIZE)
    before = cuda.traffic.total("to_host")

    cuda.to_host(made)

    assert before == (0, 0)
    assert cuda.traffic.total("to_host") == (1, 2 * 3 * 24 * 32 * 4)


def test_arrays_of_the_device_are_not_read_by_the_host(cuda: CudaDeviceOnCpu) -> None:
    with pytest.raises(TypeError, match="read on the host"):
        np.asarray(cuda.model_input(shown(), SIZE))


def test_a_cap_of_memory_holds(compiled_kernels: CompiledKernels) -> None:
    device = CudaDeviceOnCpu(compiled_kernels, most_bytes=10_000)

    with pytest.raises(MemoryError):
        device.model_input(shown(4), SIZE)


def test_a_replayed_tick_without_pictures_is_refused(cuda: CudaDeviceOnCpu) -> None:
    with pytest.raises(ValueError, match="expected 2 pictures, got 0; a tick replayed from a recording has none"):
        cuda.model_input(frames(2), SIZE)
