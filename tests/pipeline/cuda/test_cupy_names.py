"""What the device asks of cupy is there in the real package, and takes what it is given. No driver is needed.

The device runs on a stand-in in all other tests. Here the stand-in is held against cupy, so that what runs on it calls
nothing that cupy has not; what cupy then does on a GPU is not seen.
"""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.cuda import source
from tests import fake_cupy, fake_streams
from tests.repository import ROOT

cupy = pytest.importorskip("cupy", reason="cupy is not installed; make test and make gpu install it on Linux")

MENTIONED = re.compile(r"\b_?(?:cupy|xp)\.([a-zA-Z_]\w*(?:\.[a-zA-Z_]\w*)*)")
OF_FAKE = {
    fake_cupy.FakeCupy: ("", "cuda", "cuda.MemoryPool", "RawModule"),
    fake_cupy.Stream: ("cuda.Stream",),
    fake_cupy.Event: ("cuda.Event",),
    fake_streams.Graph: ("cuda.Graph",),
    fake_cupy.MemoryPointer: ("cuda.MemoryPointer",),
    fake_cupy.DeviceArray: ("ndarray",),
}
"""Each class of the stand-in, and what it stands for: it may be several things at once."""
OF_TESTS = {"begin", "begin_beside", "capturing", "catch_up", "current", "host"}
"""What the stand-in has for itself."""


def found(path: str) -> Any:
    """Return what has a name such as `cuda.Stream`, or None."""
    thing = cupy
    for name in filter(None, path.split(".")):
        thing = getattr(thing, name, None)
    return thing


def parameters(real: Any) -> dict[str, inspect._ParameterKind]:
    """Return the names that something takes, in order, as a function does or as the first line of its help has them."""
    line = (real.__doc__ or "").strip().partition("\n")[0]
    if not (told := re.fullmatch(r"[\w.]+\((.*)\)(?: -> .*)?", line)):
        return {one.name: one.kind for one in inspect.signature(real).parameters.values() if one.name != "self"}
    kind, taken = inspect.Parameter.POSITIONAL_OR_KEYWORD, {}
    for text in told[1].split(", "):
        name = text.partition("=")[0].split(" ")[-1]  # of C code it tells the type, too
        if text == "*":
            kind = inspect.Parameter.KEYWORD_ONLY
        elif name != "self":
            taken[name] = kind
    return taken


def not_taken(fake: Callable[..., Any], real: Any) -> list[str]:
    """Return the parameters of a function of the stand-in that the real one does not take in that place and name."""
    theirs = parameters(real)
    by_place = [name for name, kind in theirs.items() if kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    ours = [one for one in inspect.signature(fake).parameters.values() if one.name not in ("self", "cupy")]
    wrong = []
    for place, one in enumerate(ours):
        if one.kind is inspect.Parameter.VAR_POSITIONAL:
            fits = f"*{one.name}" in theirs
        elif one.kind is inspect.Parameter.KEYWORD_ONLY:
            fits = one.name in theirs
        else:
            fits = by_place[place : place + 1] == [one.name]
        if not fits:
            wrong.append(one.name)
    return wrong


def mentioned() -> list[str]:
    files = [path for folder in ("pipeline", "nodes", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    return sorted({name for path in files for name in MENTIONED.findall(path.read_text("utf-8"))})


@pytest.mark.parametrize("name", mentioned())
def test_what_the_code_names_is_there(name: str) -> None:
    assert found(name) is not None


@pytest.mark.parametrize(
    ("cls", "name"), [(cls, name) for cls in OF_FAKE for name in vars(cls) if name[0] != "_" and name not in OF_TESTS]
)
def test_what_the_stand_in_takes_is_taken(cls: type, name: str) -> None:
    real = [thing for path in OF_FAKE[cls] if (thing := found(f"{path}.{name}")) is not None]

    assert real
    if inspect.isfunction(fake := vars(cls)[name]):
        assert not_taken(fake, real[0]) == []


@pytest.mark.parametrize("cls", [fake_cupy.Event, fake_cupy.MemoryPointer])
def test_what_the_stand_in_is_made_of_is_taken(cls: type) -> None:
    assert not_taken(cls.__init__, found(OF_FAKE[cls][0])) == []


def test_a_kernel_is_launched_with_grid_block_and_arguments() -> None:
    launch = fake_cupy.FakeCupy(lambda *_: None).get_function("any")

    assert not_taken(launch, cupy.RawKernel.__call__) == []


def test_what_an_array_and_a_stream_tell_is_told() -> None:
    memory = cupy.cuda.UnownedMemory(4096, 16, None, 0)
    real = cupy.ndarray((2, 2), np.dtype("float32"), cupy.cuda.MemoryPointer(memory, 0))

    told = ("shape", "dtype", "nbytes", "size", "ndim", "strides")
    assert [getattr(real, name) for name in told] == [(2, 2), np.float32, 16, 4, 2, (8, 4)]
    assert (real.data.ptr, real[1:].data.ptr, real.reshape((4,)).shape) == (4096, 4104, (4,))
    assert cupy.cuda.Stream.null.ptr == 0


def test_an_allocator_is_that_of_all_threads() -> None:
    before, told = cupy.cuda.get_allocator(), []
    ours = [].append
    cupy.cuda.set_allocator(ours)
    try:
        thread = threading.Thread(target=lambda: told.append(cupy.cuda.get_allocator()))
        thread.start()
        thread.join()
    finally:
        cupy.cuda.set_allocator(before)

    assert told == [ours]


def test_memory_of_no_rows_needs_no_address() -> None:
    made = cupy.ndarray((0, 3), np.dtype("float32"), cupy.cuda.MemoryPointer(cupy.cuda.UnownedMemory(0, 0, None, 0), 0))

    assert (made.shape, made.data.ptr) == ((0, 3), 0)


def test_numpy_reads_pinned_memory() -> None:
    host = np.arange(64, dtype=np.uint8)
    memory = type("Memory", (), {"ptr": host.ctypes.data, "size": host.nbytes})

    block = np.frombuffer(cupy.cuda.PinnedMemoryPointer(memory, 0), np.uint8, 10)

    assert block.ctypes.data == host.ctypes.data
    assert block.flags.writeable
    np.testing.assert_array_equal(block, host[:10])


@pytest.mark.parametrize("arch", ["sm_75", "sm_90", "sm_100"])
@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "pipeline" / "cuda").glob("*.cu")))
def test_its_compiler_takes_the_kernels_with_the_options_that_they_are_given(file: str, arch: str) -> None:
    nvrtc = cupy.cuda.nvrtc
    program = nvrtc.createProgram(source.text(file), file, (), ())

    # -ftz is what cupy adds to the options of a RawModule.
    nvrtc.compileProgram(program, (*source.OPTIONS, "-ftz=true", f"-arch={arch}"))

    assert nvrtc.getCUBIN(program)
    nvrtc.destroyProgram(program)
