"""Decoded pictures on the device: each goes there once, however many models look at it, from memory that is pinned."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pipeline.cuda.decoding import DevicePicture
from pipeline.cuda.streams import ThreadStreams
from pipeline.cuda.traffic import Traffic
from pipeline.frames import Picture


@dataclass
class _Upload:
    """The planes of one picture on the device."""

    of: weakref.ref[Picture]
    picture: Picture
    ready: Any
    """Event: the planes are there."""
    staged: Any
    """The pinned memory that they come from; None when they lay on the device before."""
    read: list[Any] = field(default_factory=list)
    """Events: those who read them have done so."""

    def over(self) -> bool:
        """Tell whether nobody copies or reads any more."""
        return all(event.done for event in (self.ready, *self.read))


class Uploads:
    """Keeps the planes of pictures on the device for as long as the pictures live, and until they have been read.

    Args:
        cupy: the package, or what stands for it.
        streams: of the threads that ask.
        traffic: where copies are counted.
        empty: makes arrays on the device, of a shape and a dtype.
    """

    def __init__(self, cupy: Any, streams: ThreadStreams, traffic: Traffic, empty: Callable[[Any, Any], Any]) -> None:
        self._cupy, self._streams, self._traffic, self._empty = cupy, streams, traffic, empty
        self._held: dict[int, _Upload] = {}
        self._dying: deque[_Upload] = deque()
        self._lock = threading.RLock()  # a picture may die, and tell us, while this very thread holds the lock

    def on_device(self, picture: Picture) -> Picture:
        """Return the picture with its planes on the device, which the calling thread's stream may read from now on.

        Who reads them must call `was_read` afterwards.
        """
        self._let_go()
        with self._lock:
            upload = self._held.get(id(picture))
            if upload is None:
                upload = self._held[id(picture)] = self._begun(picture)
        self._streams.own().wait_event(upload.ready)
        return upload.picture

    def was_read(self, picture: Picture) -> None:
        """Note that all that the calling thread has begun so far may still read a picture."""
        event = self._streams.mark()
        with self._lock:
            self._held[id(picture)].read.append(event)

    def __len__(self) -> int:
        """Return how many pictures are on the device."""
        return len(self._held) + len(self._dying)

    def _begun(self, picture: Picture) -> _Upload:
        number = id(picture)
        ref = weakref.ref(picture, lambda _: self._died(number))
        if isinstance(picture, DevicePicture):
            # A copy, for the one that is watched must not be kept alive by it.
            kept = Picture(picture.planes, picture.layout, picture.rotation_deg, picture.full_range)
            return _Upload(ref, kept, picture.ready, None)
        planes, staged = self._copied(picture.planes)
        return _Upload(ref, replace(picture, planes=planes), self._streams.mark(), staged)

    def _copied(self, planes: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
        """Begin to copy planes to the device, all in one copy; return them there, and the memory they come from."""
        stream = self._streams.own()
        sizes = [plane.nbytes for plane in planes]
        staged = self._cupy.cuda.alloc_pinned_memory(sum(sizes))
        block = np.frombuffer(staged, np.uint8, sum(sizes))
        on_device = self._empty(sum(sizes), np.uint8)
        there, first = [], 0
        for plane, size in zip(planes, sizes, strict=True):
            # The lines of a decoder's plane may lie apart: here they do not.
            np.copyto(block[first : first + size].reshape(plane.shape), plane)
            there.append(on_device[first : first + size].reshape(plane.shape))
            first += size
        on_device.set(block, stream=stream)
        self._traffic.count("to_device", "pictures", sum(sizes))
        return tuple(there), staged

    def _died(self, number: int) -> None:
        with self._lock:
            upload = self._held.pop(number, None)
            if upload is not None:
                self._dying.append(upload)

    def _let_go(self) -> None:
        """Give back the memory of pictures that are gone, as far as the device is through with them."""
        with self._lock:
            for _ in range(len(self._dying)):
                upload = self._dying.popleft()
                if not upload.over():
                    self._dying.append(upload)
