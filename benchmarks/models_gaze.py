"""Gaze models: what a call costs for 1 to 10 heads, as released and prepared; whether both say the same."""

from __future__ import annotations

from functools import partial
from statistics import geometric_mean, median
from typing import Any

import numpy as np

from benchmarks.models_calls import clock_of, in_turns, open_engine, ratio
from benchmarks.models_files import ModelFile
from benchmarks.results import ROOT, Figures
from nodes.ops.heatmap import kept_cells
from nodes.surgery.gaze_trial import BOXES, PICTURES, Answer, ask_prepared, ask_released, prepared_inputs
from nodes.surgery.graph import Array
from nodes.surgery.trials import Trial, made_up_boxes, of_clips
from pipeline.card_fields import Picture

CLIP = ROOT / "scenes" / "demo" / "shop.mp4"
HEADS = tuple(range(1, 11))
FRAMES = 4
"""Frames of the demo clip that go into one call together."""


def measure_gaze(released: ModelFile, prepared: ModelFile, rounds: int, device: str) -> Figures:
    """Return milliseconds by number of heads, how both compare, and the largest difference between their answers.

    Both are given pictures of their size: the released file planes of float32, the prepared one bytes.
    """
    old, new = open_engine(released.path, device), open_engine(prepared.path, device)
    size_wh = released.card.input_size_wh or (0, 0)
    frames = of_clips([CLIP], size_wh, Picture(), FRAMES, ROOT)
    given = {count: _inputs(frames.pictures[:1], count) for count in HEADS}
    old.run(None, given[HEADS[-1]][0]), new.run(None, given[HEADS[-1]][1])  # both have their memory from now on
    heads, ratios = {}, []
    for count, (planes, as_bytes) in given.items():
        calls = {
            "ms": partial(old.run, None, planes),
            "prepared_ms": partial(new.run, None, as_bytes),
        }
        times = in_turns(calls, rounds, clock_of(device))
        heads[count] = {name: round(median(spent), 2) for name, spent in times.items()}
        ratios.append(ratio(times, "ms", "prepared_ms"))
    return {
        "heads": heads,
        "prepared_speed": round(geometric_mean(ratios), 3),
        "batch_max_abs": largest_gap(ask_released(old, frames), ask_prepared(new, frames)),
        "released": released.released,
    }


def largest_gap(released: Answer, prepared: Answer) -> float:
    """Return the largest difference between answers, on the cells that the released file puts out."""
    rows, columns = (
        kept_cells(now, before) for now, before in zip(released.maps.shape[1:], prepared.maps.shape[1:], strict=True)
    )
    gaps = [np.abs(released.maps - prepared.maps[:, rows][:, :, columns]).max()]
    if released.in_frame is not None and prepared.in_frame is not None:
        gaps.append(np.abs(released.in_frame - prepared.in_frame).max())
    return float(max(gaps))


def line_through(heads: dict[int, dict[str, float]], key: str) -> tuple[float, float]:
    """Return what a call costs without heads and what each head adds, by least squares, milliseconds."""
    slope, base = np.polyfit(list(heads), [spent[key] for spent in heads.values()], 1)
    return round(float(base), 2), round(float(slope), 3)


def table(found: dict[str, Figures]) -> str:
    """Return milliseconds with the columns of upstream's table of latencies: heads in one frame, and a line through."""
    width = max(len(name) for name in found) + len(" prepared")
    lines = [f"{'ms by heads':<{width}}" + "".join(f"{count:>9}" for count in HEADS) + "  base + slope·N"]
    for name, figures in found.items():
        for key, label in (("ms", name), ("prepared_ms", f"{name} prepared")):
            base, slope = line_through(figures["heads"], key)
            cells = "".join(f"{figures['heads'][count][key]:>9.2f}" for count in HEADS)
            lines.append(f"{label:<{width}}{cells}  {base:.2f} + {slope:.3f} N")
    return "\n".join(lines)


def _inputs(pictures: Array, count: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the inputs of the released and of the prepared file for heads of one picture."""
    trial = Trial(pictures, made_up_boxes(np.random.default_rng(count), count), np.zeros(count, np.int64))
    planes = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32)
    return {PICTURES: planes, BOXES: trial.boxes[None]}, prepared_inputs(trial)
