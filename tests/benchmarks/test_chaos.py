"""Nothing is lost or doubled by kill -9, and what finds that out finds what is lost and doubled."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import chaos, event_pair
from benchmarks.chaos import main, measure_chaos
from benchmarks.event_pair import Pair, compare
from pipeline.errors import PipelineError

EVENTS = [b"a", b"b", b"c", b"d"]
WANTED = b"a\nb\nc\nd\n"
RUNS_ON = "import signal; signal.pause()"
PUBLISHES = "pass"
"""A publisher that comes to its end at once, and does so again and again."""


def test_kills_lose_and_double_nothing() -> None:
    found = measure_chaos(kills=5, seed=3)

    assert (found["kills"], found["gaps"], found["duplicates"]) == (5, 0, 0)
    assert found["events"] > 300
    assert found["kills_while_flowing"] > 0


@pytest.mark.parametrize(
    ("got", "gaps", "duplicates"),
    [
        ([b"a", b"b", b"c", b"d"], 0, 0),
        ([b"a", b"c", b"d"], 1, 0),
        ([], 4, 0),
        ([b"a", b"b", b"b", b"c", b"d"], 0, 1),
        ([b"a", b"b", b"c", b"d", b"a"], 0, 1),
        ([b"a", b"c", b"b", b"d"], 2, 0),
        ([b"a", b"b", b"other", b"d"], 1, 1),
        ([b"a", b"b", b"c", b"d", b"hal"], 0, 1),
        ([b"a", b"a", b"c", b"d"], 1, 1),
    ],
)
def test_what_is_missing_double_or_moved_is_counted(got: list[bytes], gaps: int, duplicates: int) -> None:
    found = compare(EVENTS, got)

    assert (found["gaps"], found["duplicates"]) == (gaps, duplicates)


def pair(folder: Path, consumer: str, publisher: str = PUBLISHES) -> Pair:
    """Return processes of one line each; the consumer writes to the file named on its command line."""
    heard = folder / "heard.jsonl"
    return Pair(folder, ["-c", publisher], ["-c", consumer, str(heard)], heard, WANTED)


def keeps(text: str) -> str:
    """Return a consumer that appends a text whenever it is started."""
    return f"import sys; open(sys.argv[1], 'a').write({text!r})\n{RUNS_ON}"


def test_a_consumer_that_takes_all_again_when_it_is_started_again_has_duplicates(tmp_path: Path) -> None:
    with pair(tmp_path, keeps("a\nb\nc\n")) as forgetful:
        forgetful.start()
        forgetful.run_until(lambda: forgetful.missing() <= 2)
        forgetful.kill(["consumer"])
        forgetful.start()
        forgetful.run_to_end()

    assert forgetful.found() == {"gaps": 1, "duplicates": 3}


def test_a_consumer_that_gets_nothing_more_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_pair, "STUCK_S", 0.3)
    text = "consumer: expected 4 bytes more, got none; publisher said: nothing; consumer said: nothing"
    with pair(tmp_path, keeps("a\nb\n")) as stuck, pytest.raises(PipelineError, match=f"^{re.escape(text)}$"):
        stuck.start()
        stuck.run_until(lambda: False)


@pytest.mark.parametrize(
    ("consumer", "publisher", "failed", "code"),
    [
        (RUNS_ON, "import sys; sys.exit('no bus')", "publisher", 1),
        ("import sys; sys.stderr.write('no file')", RUNS_ON, "consumer", 0),
    ],
)
def test_a_process_that_fails_is_said_with_its_last_words(
    tmp_path: Path, consumer: str, publisher: str, failed: str, code: int
) -> None:
    words = {"publisher": "nothing", "consumer": "nothing"} | {failed: {"publisher": "no bus"}.get(failed, "no file")}
    text = (
        f"{failed}: expected it to run on, got exit code {code}; publisher said: {words['publisher']}; "
        f"consumer said: {words['consumer']}"
    )
    with pair(tmp_path, consumer, publisher) as failing, pytest.raises(PipelineError, match=f"^{re.escape(text)}$"):
        failing.start()
        failing.run_until(lambda: False)


@pytest.mark.parametrize(("gaps", "duplicates", "code"), [(0, 0, 0), (1, 0, 1), (0, 1, 1)])
def test_gaps_and_duplicates_fail_the_command(
    gaps: int, duplicates: int, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {"kills": 5, "gaps": gaps, "duplicates": duplicates}
    monkeypatch.setattr(chaos, "measure_chaos", lambda kills, seed: {**found, "kills": kills})

    assert main(["--kills", "7"]) == code
    assert capsys.readouterr().out.splitlines()[0].split() == ["kills", "7"]
