"""A pytest plugin: adds up what each part of the suite costs, prints it, and fails the run when a part is over budget.

A part is a folder below tests/; the files directly in tests/ are the part `tests`. Budgets are CPU seconds, those of
waited-for child processes included, so that a busy machine does not decide; wall time is printed beside them.
"""

import os
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest
import yaml

BUDGET_FILE = Path(__file__).with_name("budget.yaml")
SUITE_LIMIT_S = 540.0
"""What all budgets together may allow: ten minutes, less one for the linters."""


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(TimeBudget(read_budgets(BUDGET_FILE), BUDGET_FILE.parent), "time-budget")


def read_budgets(file: Path) -> dict[str, float]:
    """Return CPU seconds by part.

    Raises:
        pytest.UsageError: if the budgets together allow more than the suite may take.
    """
    budgets = {str(part): float(limit_s) for part, limit_s in yaml.safe_load(file.read_text("utf-8")).items()}
    total_s = sum(budgets.values())
    if total_s > SUITE_LIMIT_S:
        raise pytest.UsageError(f"{file.name}: expected {SUITE_LIMIT_S:g} s or less in all, got {total_s:g} s")
    return budgets


def cpu_s() -> float:
    """Return the CPU seconds used so far by this process and by the children it has waited for."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


class TimeBudget:
    """The running totals of one test run, for the test files below `folder`."""

    def __init__(self, budgets: dict[str, float], folder: Path) -> None:
        self.budgets = budgets
        self.folder = folder
        self.cpu_s: dict[str, float] = {}
        self.wall_s: dict[str, float] = {}

    def part_of(self, path: Path) -> str:
        """Return the part of the suite that a test file belongs to."""
        inside = path.relative_to(self.folder)
        return inside.parts[0] if len(inside.parts) > 1 else "tests"

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        unknown = sorted({self.part_of(item.path) for item in items} - set(self.budgets))
        if unknown:
            raise pytest.UsageError(f"{BUDGET_FILE.name}: expected a budget for each part, none for {unknown!r}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        part, cpu_before, wall_before = self.part_of(item.path), cpu_s(), time.perf_counter()
        try:
            return (yield)
        finally:
            self.cpu_s[part] = self.cpu_s.get(part, 0.0) + cpu_s() - cpu_before
            self.wall_s[part] = self.wall_s.get(part, 0.0) + time.perf_counter() - wall_before

    def over_budget(self) -> list[str]:
        """Return one complaint for each part that cost more than its budget."""
        return [
            f"{BUDGET_FILE.name}: {part}: expected {self.budgets[part]:g} s of CPU or less, got {used_s:.1f} s"
            for part, used_s in sorted(self.cpu_s.items())
            if used_s > self.budgets[part]
        ]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.over_budget() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("time by part")
        terminalreporter.line(f"{'part':<12}{'cpu s':>8}{'budget':>8}{'wall s':>8}")
        for part, used_s in sorted(self.cpu_s.items()):
            terminalreporter.line(f"{part:<12}{used_s:>8.1f}{self.budgets[part]:>8g}{self.wall_s[part]:>8.1f}")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Say why the run fails as the very last thing: who sees only the end of a log sees this."""
        for complaint in self.over_budget():
            sys.stdout.write(f"{complaint}\n")
