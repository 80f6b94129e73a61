"""Values that lie on a stand-in for a device, and a second thread to read them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.values import Value, column
from tests.cuda_device import CudaDeviceOnCpu

HERE = np.arange(12, dtype=np.float32).reshape(3, 4)


@dataclass(frozen=True, eq=False)
class Marked(Value):
    """Rows with something that may lie on a device."""

    frame_row: np.ndarray = column(np.int64)
    far: np.ndarray = column(np.float32, 4, on_device=True)
    wide: np.ndarray = column(np.float64, on_device=True)


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
