"""The retail graph under CUDA's own profiler, which counts the copies that nobody reports to us. Wants torch."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.cuda_runs import Figures, retail_run
from pipeline.device import open_device


def trace() -> Figures:
    """Copies of a frame, by way, and the largest of each."""
    from torch.profiler import ProfilerActivity, profile

    with tempfile.TemporaryDirectory() as name:
        with profile(activities=[ProfilerActivity.CUDA]) as profiler:
            report, _ = retail_run(Path(name, "run"), open_device("cuda"))
        profiler.export_chrome_trace(str(Path(name, "trace.json")))
        copies = copies_in(json.loads(Path(name, "trace.json").read_text("utf-8")))
    told: Figures = {}
    for way, sizes in copies.items():
        told[f"{way}, copies a frame"] = round(len(sizes) / report.frames, 2)
        told[f"{way}, bytes a frame"] = sum(sizes) // report.frames
        told[f"{way}, largest"] = max(sizes)
    return told | {"frames": report.frames}


def copies_in(trace: dict[str, Any]) -> dict[str, list[int]]:
    """Return the sizes of all copies in a trace of torch's profiler, by way (`Memcpy HtoD`, `Memcpy DtoH`, ...)."""
    copies: dict[str, list[int]] = {}
    for event in trace["traceEvents"]:
        if event.get("cat") == "gpu_memcpy":
            way = event["name"].split(" (")[0]
            copies.setdefault(way, []).append(int(event["args"]["bytes"]))
    return copies
