"""Ctrl-C once finishes the files; twice stops at once."""

from __future__ import annotations

import os
import signal

import pytest

from cli.interrupt import SIGNALS, interrupting


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_and_the_second_kills(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    before = [signal.getsignal(each) for each in SIGNALS]

    with interrupting(lambda: asked.append("stop")):
        os.kill(os.getpid(), number)
        after_one = [signal.getsignal(each) for each in SIGNALS]

    assert asked == ["stop"]
    assert after_one == [signal.SIG_DFL, signal.SIG_DFL]
    assert [signal.getsignal(each) for each in SIGNALS] == before
    assert capsys.readouterr().err == "\nfinishing the files; press Ctrl-C again to stop at once\n"


def test_without_a_signal_nothing_is_asked() -> None:
    asked: list[str] = []

    with interrupting(lambda: asked.append("stop")):
        pass

    assert asked == []
