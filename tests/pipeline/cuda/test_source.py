"""The sources: their kernels are those that Python names, structs are laid out alike, NVRTC takes them for any GPU."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from pipeline.cuda import source, structs
from tests.pipeline.cuda.on_cpu import CompiledKernels, required

ENTRY = re.compile(r'extern "C" __global__ void (\w+)\(([^)]*)\)')
STRUCTS = {"Channel": structs.CHANNEL, "Axis": structs.AXIS, "Image": structs.IMAGE, "Target": structs.TARGET}
KERNELS = (source.TO_FLOATS, source.TO_BYTES, source.BE_LATE)
FILES = ("pixels.cu",)


def test_the_kernels_of_the_sources_are_those_that_are_named():
    found = [
        source.Kernel(file, name, tuple(re.sub(r"\w+$", "", argument).strip() for argument in arguments.split(",")))
        for file in FILES
        for name, arguments in ENTRY.findall(source.text(file))
    ]

    assert tuple(found) == KERNELS


def test_structs_are_laid_out_as_numpy_has_them(tmp_path: Path):
    fields = [(struct, field) for struct, dtype in STRUCTS.items() for field in dtype.names]
    sizes = [f"sizeof({struct})" for struct in STRUCTS]
    places = [f"offsetof({struct}, {field})" for struct, field in fields]
    asked = ", ".join(f"(long long){what}" for what in sizes + places)
    probe = source.Kernel("pixels.cu", "laid_out", ("long long *",))
    entry = f"""
    extern "C" __global__ void laid_out(long long *out)
    {{
        const long long all[] = {{{asked}}};
        for (unsigned i = 0; i < sizeof(all) / sizeof(*all); ++i) out[i] = all[i];
    }}
    """
    made = np.zeros(len(sizes) + len(places), np.int64)

    CompiledKernels(source.text("pixels.cu") + entry, (probe,), tmp_path).launch(probe, (1, 1, 1), made)

    offsets = [STRUCTS[struct].fields[field][1] for struct, field in fields]
    assert made.tolist() == [dtype.itemsize for dtype in STRUCTS.values()] + offsets


@pytest.mark.parametrize("arch", ["sm_75", "sm_86", "sm_90", "sm_100"])
@pytest.mark.parametrize("file", FILES)
def test_nvrtc_compiles_the_kernels(file, arch):
    found = all(importlib.util.find_spec(name) for name in ("cuda", "nvidia"))
    required(found and importlib.util.find_spec("cuda.core") is not None, "no package cuda-core; install the dev group")
    from cuda.core import Program, ProgramOptions

    code = Program(source.text(file), "c++", ProgramOptions(arch=arch)).compile("cubin").code

    assert all(kernel.name.encode() in code for kernel in KERNELS if kernel.file == file)


@pytest.mark.parametrize(
    ("size_wh", "count", "expected"), [((32, 8), 1, (1, 1, 1)), ((33, 9), 5, (2, 2, 5)), ((1, 1), 65535, (1, 1, 65535))]
)
def test_a_grid_has_a_thread_for_each_pixel(size_wh, count, expected):
    assert source.grid(size_wh, count) == expected


def test_more_images_than_a_grid_is_deep_are_refused():
    with pytest.raises(ValueError, match=r"^grid: expected 65535 images or fewer, got 65536; make them in several"):
        source.grid((4, 4), 65536)
