"""Measure models and what we add around them: `python -m benchmarks.models`. One thread, by the processor's time.

Gaze models: milliseconds of a call for 1 to 10 heads, as released and as `models prepare` makes them, in turns within
one run; the largest difference between the answers for frames of the demo clip, all in one call of the prepared file
and one by one in the released one; where peaks come out of the last layers of both. Then every family in its stage at
1920 x 1080: what its model takes, and what is done around it.

Files are the released ones where they are here (GAZE_MODELS, GAZE_REAL_MODELS); for all others architectures with
random weights stand in, which say nothing right but take as long. Those of YOLOv9 and SCRFD and the mobile models of
heads and faces keep their contracts alone: their milliseconds mean nothing, what is done around them does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from benchmarks import models_around, models_gaze
from benchmarks.machine import LoadOfOthers
from benchmarks.models_alone import measure_alone
from benchmarks.models_calls import PROVIDERS
from benchmarks.models_files import ModelFile, files_of, prepared
from benchmarks.models_peaks import peak_errors
from benchmarks.results import Figures, command_line, finish, guarded
from pipeline.errors import ConfigError

QUICK = ("gazelle-dinov3-atto", "gazelle-dinov3-femto", "gazelle-dinov3-pico", "gazelle-dinov3-s")
SLOW = (
    "gazelle-dinov3-n", "gazelle-dinov3-m", "gazelle-dinov3-l", "gazelle-dinov3-x", "gazelle-dinov3-xl",
    "gazelle-dinov2-b", "gazelle-dinov2-l",
)  # fmt: skip
DETECTORS = (
    "people-shop-480", "deimv2-wholebody34-atto", "deimv2-wholebody34-pico", "yolov9-wholebody25-t", "yolox-nano-416",
    "person-detection-retail-0013", "face-detection-adas-0001", "rfb-320", "yunet-320", "yunet-640", "scrfd-500m",
)  # fmt: skip
OTHERS = (
    "gaze-shop-480", "gazelle-dinov3-atto", "fsanet-1x1", "head-pose-estimation-adas-0001", "head-pose-resnet18",
    "mobilegaze-resnet18", "privigaze-student", "person-reidentification-retail-0248",
)  # fmt: skip
"""Models of gaze, heads, faces and bodies, of each of their families one at least."""
PARTS = ("gaze", "detectors", "around")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for and return the exit code."""
    options = _parser().parse_args(arguments)
    names = tuple(options.models or (QUICK + SLOW if options.all else QUICK))
    if unknown := [name for name in names if name not in QUICK + SLOW]:
        raise ConfigError(f"--models: expected some of {', '.join(QUICK + SLOW)}, got {', '.join(unknown)}")
    if options.device != "cpu" and options.check:
        raise ConfigError(f"--check: expected --device cpu, which targets are about, got {options.device!r}")
    load, folder = LoadOfOthers(), options.out / "models"
    figures: Figures = {}
    gaze: dict[str, Figures] = {}
    around: dict[str, Figures] = {}
    if "gaze" in options.parts:
        gaze, figures = _gaze(names, folder, options.rounds, options.device)
        print(models_gaze.table(gaze))
    if "detectors" in options.parts:
        around = {name: {"alone_ms": measure_alone(file, options.device)} for name, file in _detectors(folder)}
        print("\n".join(f"{name:<30}{each['alone_ms']:>9.2f} ms alone" for name, each in around.items()))
    if "around" in options.parts and options.device == "cpu":
        measured = _around(folder)
        around = {name: {**around.get(name, {}), **each} for name, each in measured.items()}
        print(models_around.table(measured))
        figures["around_over_limit"] = max(each["around_over_limit"] for each in measured.values())
    figures["load_of_others"] = load.cores()
    beside = {name: {**gaze.get(name, {}), **around.get(name, {})} for name in {**gaze, **around}}
    details = {"device": options.device, "provider": PROVIDERS[options.device]}
    return finish("models", figures, details, options, beside)


def _detectors(folder: Path) -> list[tuple[str, ModelFile]]:
    return list(files_of(DETECTORS, folder).items())


def _gaze(names: Sequence[str], folder: Path, rounds: int, device: str) -> tuple[dict[str, Figures], Figures]:
    """Return what was measured of each gaze model, and the figures of all."""
    found: dict[str, Figures] = {}
    scene = models_around.Scene(models_gaze.CLIP)
    for name, file in files_of(names, folder).items():
        print(f"{name}: 1 to 10 heads", file=sys.stderr)
        made = prepared(file)
        found[name] = models_gaze.measure_gaze(file, made, rounds, device)
        if device == "cpu":
            found[name]["together_speed"] = models_around.measure_together(file, made, scene)
        source_wh = file.card.gaze.source_cells_wh
        if source_wh is not None:
            _, rows, columns = file.card.contract.outputs["heatmap"].shape
            found[name]["peaks"] = peak_errors(file.path, made.path, source_wh, (int(columns), int(rows)))
    peaks = [each["peaks"] for each in found.values() if "peaks" in each]
    figures: Figures = {
        "prepared_speed": min(each["prepared_speed"] for each in found.values()),
        "together_speed": min(
            (each["together_speed"] for each in found.values() if "together_speed" in each), default=None
        ),
        "batch_equal_max_abs": max(each["batch_max_abs"] for each in found.values()),
    }
    if peaks:
        figures |= {
            "peak_error_original": round(fmean(each["released_upstream"] for each in peaks), 5),
            "peak_error_evened": round(fmean(each["released_hill"] for each in peaks), 5),
            "peak_error_prepared": round(fmean(each["prepared_hill"] for each in peaks), 5),
            "peak_error_ratio": round(max(each["prepared_hill"] / each["released_upstream"] for each in peaks), 3),
            "peak_error_ratio_of_cells": round(max(each["prepared_cell"] / each["released_cell"] for each in peaks), 3),
        }
    return found, figures


def _around(folder: Path) -> dict[str, Figures]:
    scene = models_around.Scene(models_gaze.CLIP)
    found = {}
    for name, file in files_of(DETECTORS + OTHERS, folder).items():
        print(f"{name}: around it", file=sys.stderr)
        # Random scores are low: so that there is as much to decode as in a full picture, more of them count.
        values = {"object_min_score": 0.1} if name.startswith("deimv2") and not file.released else {}
        found[name] = models_around.measure_around(file, scene, **values)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = command_line("models", "Measure gaze models as released and prepared, and what is done around models.")
    parser.add_argument("--models", nargs="+", metavar="NAME", help=f"gaze models; default: {', '.join(QUICK)}")
    parser.add_argument("--all", action="store_true", help="all gaze models: an hour on a CPU")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default: everything)"
    )
    parser.add_argument("--device", choices=list(PROVIDERS), default="cpu", help="where models run (default cpu)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="calls that are timed for each number of heads (default 3)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(guarded(main))
