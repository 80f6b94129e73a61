"""What ends a run with a stuck test is itself tested: in a run of pytest below this one."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run_pytest(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_one.py").write_text(f"import time\n\ndef test_one():\n    {test}\n", "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.stuck", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=50
    )


def test_a_stuck_test_ends_the_run_and_is_named_last(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "time.sleep(45)", "-o", "faulthandler_timeout=0.5")

    assert done.returncode == 1
    assert "Current thread" in done.stderr or "Thread 0x" in done.stderr
    assert done.stderr.splitlines()[-2:] == [
        "test_one.py::test_one: stuck: expected an end within 0.4 s; it is at",
        "  test_one.py:4 in test_one",
    ]


def test_a_test_that_ends_in_time_is_left_alone(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "time.sleep(0.01)", "-o", "faulthandler_timeout=30")

    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_limit_nothing_is_watched(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "assert __import__('threading').active_count() == 1")

    assert done.returncode == 0, done.stdout


def test_the_next_test_counts_its_own_threads_only(tmp_path: Path) -> None:
    test = "pass\n\nimport pytest\n@pytest.mark.parametrize('_', range(300))\ndef test_two(_):\n    " + (
        "import threading\n    assert threading.active_count() == 2"
    )
    done = run_pytest(tmp_path, test, "-o", "faulthandler_timeout=30")

    assert done.returncode == 0, done.stdout
