"""Tables, files and the check against targets."""

import argparse
import json
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.results import TARGETS, finish, finish_sets, guarded, misses, read_targets, table
from pipeline.errors import ConfigError


def test_misses_name_key_target_and_figure() -> None:
    targets = {"recall": {"at_least": 0.9}, "error": {"at_most": 26.0}, "fps": {"at_least": 1.0}}

    assert misses({"recall": 0.9, "error": 26, "fps": 1.5}, targets) == []
    assert misses({"recall": 0.89, "error": None}, targets) == [
        "recall: expected at least 0.9, got 0.89",
        "error: expected at most 26, got None",
        "fps: expected at least 1, got None",
    ]


def test_table_aligns_figures_and_targets() -> None:
    assert table("real", {"recall": 0.95, "found": 6, "precision": None}, {"recall": {"at_least": 0.9}}) == (
        "real             target\n"
        "recall     0.95  at least 0.9\n"
        "found         6\n"
        "precision     -"
    )  # fmt: skip


@pytest.mark.parametrize(("check", "code"), [(True, 1), (False, 0)])
def test_finish_writes_the_file_and_fails_only_when_asked(
    check: bool, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = argparse.Namespace(out=tmp_path / "bench", check=check)

    assert finish("real", {"head_recall": 0.5}, {"heads": 10}, options) == code

    assert json.loads((tmp_path / "bench" / "real.json").read_text()) == {"head_recall": 0.5, "details": {"heads": 10}}
    said = capsys.readouterr()
    assert "head_recall  0.5  at least 0.97" in said.out
    assert ("real: head_recall: expected at least 0.97, got 0.5\n" in said.err) is check


def test_figures_of_sets_are_held_against_their_own_targets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = {"one.recall": {"at_least": 0.9}, "two.recall": {"at_least": 0.5}, "three.recall": {"at_least": 0.5}}
    monkeypatch.setattr(results, "read_targets", lambda path, name: targets)
    options = argparse.Namespace(out=tmp_path, check=True)

    assert finish_sets("accuracy", {"one": {"recall": 0.8}, "two": {"recall": 0.6}}, {"heads": 3}, options) == 1

    assert json.loads((tmp_path / "accuracy.json").read_text()) == {
        "one": {"recall": 0.8},
        "two": {"recall": 0.6},
        "details": {"heads": 3},
    }
    said = capsys.readouterr()
    assert said.out.startswith(
        "one          target\nrecall  0.8  at least 0.9\n\ntwo          target\nrecall  0.6  at least 0.5\n"
    )
    assert said.err == "accuracy: one.recall: expected at least 0.9, got 0.8\n"


def test_wrong_input_is_a_paragraph_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> int:
        raise ConfigError("x: expected y, got 'z'")

    assert guarded(main) == 2
    assert capsys.readouterr().err == "x: expected y, got 'z'\n"


@pytest.mark.parametrize("name", ["accuracy", "real", "speed", "tracking"])
def test_every_target_is_a_bound(name: str) -> None:
    for target in read_targets(TARGETS, name).values():
        assert set(target) <= {"at_least", "at_most"} and target


def test_shares_of_nothing_are_unknown() -> None:
    assert results.share(1, 3) == 0.3333
    assert results.share(0, 0) is None
