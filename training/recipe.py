"""Read how the shipped models are made: the steps of training/recipe.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("recipe.yaml")
ROOT = Path("out/training")
"""Where sets and weights are kept."""
UNPACKED = ROOT / "shipped"
"""Where training.unpack puts the weights of the models that ship."""
WEIGHTS = "last.npz"
PROGRAMS = ("head", "detector", "gaze")
FROM_STEPS = ("head", "init", "blend")
"""Arguments that are weights; a recipe names the step that makes them."""
_SAID = ("init", "take_head", "only_heads", "restyle", "blend")


@dataclass(frozen=True)
class Step:
    """One training."""

    name: str
    program: str
    ships: bool
    arguments: dict[str, Any]
    """As the program calls them, weights and folders as paths."""
    needs: tuple[str, ...]
    """The steps whose weights it takes."""

    def folder(self, root: Path) -> Path:
        """Return where its weights and files are kept."""
        return root / self.name

    def command(self, root: Path) -> list[str]:
        """Return the arguments of `python` that take the step."""
        words = ["-m", f"training.{self.program}", "--out", str(self.folder(root))]
        for name, value in self.arguments.items():
            values = [] if value is True else value if isinstance(value, list) else [value]
            words += [f"--{name.replace('_', '-')}", *map(str, values)]
        return words


def read_recipe(path: Path = FILE, root: Path = ROOT) -> list[Step]:
    """Return the steps of a recipe.

    Raises:
        ValueError: a step names a program that there is not, or an earlier step that there is not.
    """
    steps: list[Step] = []
    for name, said in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        given = dict(said)
        program, ships = given.pop("program", name), given.pop("ships", False)
        if program not in PROGRAMS:
            raise ValueError(f"{path.name}: {name}: expected a program of {', '.join(PROGRAMS)}, got {program!r}")
        earlier = [step.name for step in steps]
        needs = tuple(given[key] for key in FROM_STEPS if key in given)
        for needed in needs:
            if needed not in earlier:
                raise ValueError(f"{path.name}: {name}: expected an earlier step of {earlier}, got {needed!r}")
        given |= {key: root / given[key] / WEIGHTS for key in FROM_STEPS if key in given}
        steps.append(Step(name, program, ships, given, needs))
    return steps


def defaults_of(program: str) -> dict[str, Any]:
    """Return the arguments of the step that has the name of a program, but for what it goes on from: that is said."""
    (own,) = (step for step in read_recipe() if step.name == program)
    said = {name: value for name, value in own.arguments.items() if name not in _SAID}
    return said | {"out": own.folder(ROOT)}


def sets_of(kind: str) -> list[str]:
    """Return all sets of a kind, `stills` or `crops`, that the recipe needs, each once."""
    held_out = {"stills": ("detector", "gaze"), "crops": ("head",)}[kind]
    named: list[str] = []
    for step in read_recipe():
        named += step.arguments.get(kind, [])
        if step.program in held_out:
            named += [step.arguments[key] for key in ("calibrate", "held_out") if key in step.arguments]
    return list(dict.fromkeys(named))
