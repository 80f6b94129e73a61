"""The budget of the suite is itself tested: a part over budget fails a run that would have passed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.time_budget import TimeBudget, read_budgets


def test_part_is_the_folder_below_tests() -> None:
    budget = TimeBudget({}, Path("tests"))

    assert budget.part_of(Path("tests/nodes/ops/test_boxes.py")) == "nodes"
    assert budget.part_of(Path("tests/test_house.py")) == "tests"


def test_over_budget_names_the_part_and_both_figures() -> None:
    budget = TimeBudget({"cli": 2.0, "nodes": 3.0}, Path("tests"))
    budget.cpu_s = {"nodes": 3.26, "cli": 2.0}

    assert budget.over_budget() == ["budget.yaml: nodes: expected 3 s of CPU or less, got 3.3 s"]


def test_budgets_that_allow_too_much_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "budget.yaml"
    file.write_text("cli: 500\nnodes: 50\n", "utf-8")

    with pytest.raises(pytest.UsageError) as error:
        read_budgets(file)

    assert str(error.value) == "budget.yaml: expected 540 s or less in all, got 550 s"


def test_a_passing_run_over_budget_fails(tmp_path: Path) -> None:
    """One real run of pytest below this one, with a budget that nothing can keep."""
    (tmp_path / "test_one.py").write_text("def test_one():\n    sum(range(300_000))\n", "utf-8")
    (tmp_path / "tight.py").write_text(
        "from pathlib import Path\n"
        "from tests.time_budget import TimeBudget\n"
        "def pytest_configure(config):\n"
        "    config.pluginmanager.register(TimeBudget({'tests': 0.0001}, Path(__file__).parent))\n",
        "utf-8",
    )
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tight", "-p", "no:cacheprovider", str(tmp_path)]

    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": f"{root}:{tmp_path}"}, capture_output=True, text=True, check=False
    )

    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert "expected 0.0001 s of CPU or less" in done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
