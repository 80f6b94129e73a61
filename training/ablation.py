"""What each group of things in the scenes is worth on real frames: `GAZE_REAL_DATA=DIR python -m training.ablation`.

A detector that has learnt plain scenes learns on: scenes with everything, three times with other stills and draws, then
without one group at a time; each as many stills. START_STEPS and STEPS together are about an eighteenth of what
training/recipe.yaml gives the detector. A group moved a figure when leaving it out takes the figure out of the range of
the three seeds. Hours; finished trainings are not run again, and one that was interrupted goes on.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.real_frames import as_row, labelled_frames, score
from benchmarks.real_groups import SHIPPED
from benchmarks.real_labels import data_folder
from benchmarks.results import command_line, finish, guarded
from pipeline.errors import ConfigError
from scenes.style import FULL, PLAIN, Style
from training.recipe import UNPACKED, WEIGHTS

SEEDS = (0, 1, 2)
STILLS, COUNT = (3500000, 3510000, 3520000), 1200
"""First seed of the stills of each seed of a training, and how many."""
START, START_STEPS = "plain:1000000+3000", 2500
"""What all of them have learnt before."""
STEPS = 1500
RATE = 0.001
WITHOUT = (("hair", "headwear"), ("clothes", "people"), ("clutter",), ("lookalikes",), ("lens", "camera"))
"""Groups left out together; what draws the gaze teaches the detector nothing."""


def trainings() -> list[tuple[str, Style, int]]:
    """Return name, style and seed of all trainings."""
    rows = [(f"everything, seed {seed}", FULL, seed) for seed in SEEDS]
    for groups in WITHOUT:
        style = FULL
        for group in groups:
            style = style.without(group)
        rows.append((f"without {' and '.join(groups)}", style, 0))
    return [*rows, ("plain scenes", PLAIN, 0)]


def train(folder: Path, *arguments: str) -> Path:
    """Train one detector unless that is done, and return its folder.

    Raises:
        ConfigError: the training failed.
    """
    if not (folder / "run.yaml").exists():
        command = [sys.executable, "-m", "training.detector", "--out", str(folder), *arguments]
        if subprocess.run(command, check=False).returncode:
            raise ConfigError(f"{' '.join(command)}: expected it to end well, got an error; see above")
    return folder


def moved(figures: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Return, for each training without something, the figures outside of the range of the seeds, as differences."""
    base = [figures[name] for name, style, _ in trainings() if style == FULL]
    found: dict[str, dict[str, float]] = {}
    for name, style, _ in trainings():
        if style == FULL or name not in figures:
            continue
        for key, value in figures[name].items():
            known = [row[key] for row in base]
            if not min(known) <= value <= max(known):
                found.setdefault(name, {})[key] = round(value - float(np.mean(known)), 4)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is not trained yet, score everything, print the table."""
    parser = command_line("ablation", "What each group of things in the scenes is worth on real frames.")
    parser.prog = "python -m training.ablation"
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of each training, default {STEPS}")
    parser.add_argument("--head", type=Path, default=UNPACKED / "head" / WEIGHTS, help="weights of the head net")
    parser.add_argument("--root", type=Path, default=Path("out/ablation"), help="folder of the trainings")
    options = parser.parse_args(arguments)
    frames = labelled_frames(data_folder())
    figures: dict[str, dict[str, float]] = {}
    head = ("--head", str(options.head))
    start = train(options.root / "start", *head, "--stills", START, "--steps", str(START_STEPS))
    after = (*head, "--init", str(start / WEIGHTS), "--rate", str(RATE), "--steps", str(options.steps))
    for name, style, seed in trainings():
        folder = options.root / f"{style}-{seed}"
        train(folder, *after, "--seed", str(seed), "--stills", f"{style}:{STILLS[seed]}+{COUNT}")
        figures[name] = score(folder / f"{SHIPPED}.onnx", frames)
        if len(figures) == 1:
            sys.stdout.write(f"| trained on | {' | '.join(figures[name])} |\n{'| --- ' * (1 + len(figures[name]))}|\n")
        sys.stdout.write(as_row(name, figures[name]) + "\n")
        sys.stdout.flush()
    flat = {f"{name}.{key}": value for name, row in figures.items() for key, value in row.items()}
    return finish("ablation", flat, {"moved": moved(figures), "steps": options.steps, "stills": COUNT}, options)


if __name__ == "__main__":
    sys.exit(guarded(main))
