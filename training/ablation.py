"""What each group of things in the scenes is worth on real frames: `GAZE_REAL_DATA=DIR python -m training.ablation`.

The detector is trained on scenes with everything, with three seeds, then without one group at a time; each on as many
stills of the same seeds, for a quarter of the steps of training/recipe.yaml. A group moved a figure when leaving it out
takes the figure out of the range of the three seeds. Hours; finished trainings are not run again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.real_frames import as_row, labelled_frames, score
from benchmarks.results import command_line, finish, guarded
from pipeline.errors import ConfigError
from scenes.style import FULL, PLAIN, Style

SEEDS = (0, 1, 2)
STILLS = "3500000+1500"
WITHOUT = (("hair", "headwear"), ("clothes",), ("people",), ("clutter",), ("lookalikes",), ("lens",), ("camera",))
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


def train(style: Style, seed: int, steps: int, head: Path, root: Path) -> Path:
    """Train one detector unless that is done, and return its file.

    Raises:
        ConfigError: the training failed.
    """
    folder = root / f"{style}-{seed}"
    if not (folder / "run.yaml").exists():
        command = [
            *(sys.executable, "-m", "training.detector"),
            *("--stills", f"{style}:{STILLS}", "--steps", str(steps), "--seed", str(seed)),
            *("--head", str(head), "--out", str(folder)),
        ]
        if subprocess.run(command, check=False).returncode:
            raise ConfigError(f"{' '.join(command)}: expected it to end well, got an error; see above")
    return folder / "people-shop-480.onnx"


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
    parser.add_argument("--steps", type=int, default=2000, help="of each training, default 2000")
    parser.add_argument("--head", type=Path, default=Path("out/training/head/last.npz"), help="weights of the head net")
    parser.add_argument("--root", type=Path, default=Path("out/ablation"), help="folder of the trainings")
    options = parser.parse_args(arguments)
    named = os.environ.get("GAZE_REAL_DATA")
    if not named:
        raise ConfigError("GAZE_REAL_DATA: expected the folder of real footage, got nothing; set it")
    frames = labelled_frames(Path(named))
    figures: dict[str, dict[str, float]] = {}
    for name, style, seed in trainings():
        figures[name] = score(train(style, seed, options.steps, options.head, options.root), frames)
        if len(figures) == 1:
            sys.stdout.write(f"| trained on | {' | '.join(figures[name])} |\n{'| --- ' * (1 + len(figures[name]))}|\n")
        sys.stdout.write(as_row(name, figures[name]) + "\n")
        sys.stdout.flush()
    flat = {f"{name}.{key}": value for name, row in figures.items() for key, value in row.items()}
    return finish("ablation", flat, {"moved": moved(figures), "steps": options.steps, "stills": STILLS}, options)


if __name__ == "__main__":
    sys.exit(guarded(main))
