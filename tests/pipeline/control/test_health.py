"""Live and ready: by state and by the last frame that came out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.control.health import live, ready
from pipeline.errors import UnknownStreamError
from tests.pipeline.control.fake_run import DOOR, RUN

OPENING = replace(RUN, running=False, elapsed_s=0.0)
OVER = replace(RUN, running=False)


@pytest.mark.parametrize(
    ("status", "reasons"),
    [
        (RUN, ()),
        (OPENING, ()),
        (OVER, ("run: over",)),
        (replace(RUN, failed="no space"), ("run: failed",)),
    ],
    ids=["runs", "opens", "over", "failed"],
)
def test_live_is_a_run_that_goes_on(status: Any, reasons: tuple[str, ...]) -> None:
    assert (live(status).ok, live(status).reasons) == (not reasons, reasons)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"last_out_s": 10.0}, ""),
        (
            {"last_out_s": 10.2, "reason": None},
            "stream door: for 10.2 s no frame has left the graph (live for 3.0 s)",
        ),
        (
            {"state": "backing_off", "last_out_s": None},
            "stream door: no frame has left the graph (backing_off for 3.0 s, was lost: timeout)",
        ),
        ({"state": "stalled", "last_out_s": 2.5}, ""),
        ({"state": "connecting", "last_out_s": 2.5}, ""),
        ({"state": "failed", "last_out_s": 0.1}, "stream door: failed"),
        ({"state": "paused", "last_out_s": 99.0}, ""),
        ({"state": "reading", "last_out_s": None}, ""),
        ({"state": "ended", "last_out_s": 99.0}, ""),
        ({"state": "removed", "last_out_s": 99.0}, ""),
    ],
)
def test_ready_is_a_stream_whose_frames_come_out(changes: dict[str, Any], reason: str) -> None:
    status = replace(RUN, streams=(replace(DOOR, **changes),))

    told = ready(status, ready_s=10.0)

    assert (told.ok, told.reasons) == (not reason, (reason,) if reason else ())
    assert told.streams["door"]["ready"] is told.ok


def test_one_stream_can_be_asked_for() -> None:
    status = replace(RUN, streams=(DOOR, replace(DOOR, id="till", last_out_s=60.0)))

    assert [ready(status, 10.0, each).ok for each in (None, "door", "till")] == [False, True, False]
    assert list(ready(status, 10.0, "door").streams) == ["door"]
    with pytest.raises(UnknownStreamError) as caught:
        ready(status, 10.0, "dor")
    assert str(caught.value) == (
        "streams.dor: expected a stream of this run, got none of that id; did you mean 'door'? (streams: door, till)"
    )


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (OPENING, "run: not begun, or over"),
        (replace(OVER, failed="no space"), "run: failed"),
    ],
)
def test_a_run_that_does_not_go_on_is_not_ready(status: Any, reason: str) -> None:
    assert ready(status, 10.0).reasons == (reason,)


def test_a_run_without_streams_is_ready() -> None:
    assert ready(replace(RUN, streams=()), 10.0).ok
