"""A group moved a figure when leaving it out takes the figure out of the range of the seeds."""

import pytest

from benchmarks.results import TARGETS, read_targets
from training.ablation import START_STEPS, STEPS, moved, trainings
from training.recipe import read_recipe


def test_only_figures_outside_the_range_of_the_seeds_are_moved() -> None:
    seeds = [name for name, style, _ in trainings() if str(style) == "full"]
    figures = {name: {"head_ap": ap, "head_false": 2.0} for name, ap in zip(seeds, (0.8, 0.9, 1.0), strict=True)}
    figures |= {
        "without clutter": {"head_ap": 0.85, "head_false": 5.0},
        "without clothes and people": {"head_ap": 0.7, "head_false": 2.0},
    }
    assert moved(figures) == {"without clutter": {"head_false": 3.0}, "without clothes and people": {"head_ap": -0.2}}


def test_each_group_is_left_out_once_and_the_seeds_are_three() -> None:
    names = [name for name, _, _ in trainings()]
    assert len(names) == len(set(names)) == 9
    assert sum(str(style) == "full" for _, style, _ in trainings()) == 3


def test_its_figures_have_no_targets_but_a_place_among_them() -> None:
    assert read_targets(TARGETS, "ablation") == {}


def test_each_training_is_about_an_eighteenth_of_the_schedule() -> None:
    steps = [step.arguments for step in read_recipe() if step.program == "detector"]
    whole = sum(step["steps"] for step in steps if not step.get("only_heads"))
    assert (START_STEPS + STEPS) / whole == pytest.approx(1 / 18, abs=0.003)
