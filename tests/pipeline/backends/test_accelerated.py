"""Engines take over between two runs, when they are there and say what ONNX Runtime says."""

from __future__ import annotations

import threading

import pytest

from pipeline.backends.accelerated import PROOFS
from pipeline.session import Session
from tests.pipeline.backends.rig import Rig
from tests.pipeline.tiny_model import OUTPUT

LONG_S = 60.0


@pytest.fixture
def gate(rig: Rig) -> threading.Event:
    """Building an engine does not end before this is set."""
    rig.trt.gate = threading.Event()
    return rig.trt.gate


def ready(rig: Rig, session: Session, gate: threading.Event) -> None:
    gate.set()
    assert rig.accelerated(session).wait(LONG_S)


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_live_run_goes_on_in_onnx_runtime_until_the_engine_is_there(rig: Rig, gate: threading.Event) -> None:
    session = rig.opened(live=True)
    assert rig.trt.building.wait(LONG_S)

    before = [rig.told(session) for _ in range(3)]
    while_building = rig.trt.run
    ready(rig, session, gate)
    after = [rig.told(session) for _ in range(3)]

    assert before + after == [[[2, 3, 4]]] * 6
    assert while_building == 0
    assert rig.trt.run == 1 + 3  # a trial, and all runs since


def test_a_file_waits_for_its_engine(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        session = rig.opened()

    assert rig.trt.built == 1
    assert messages(caplog)[0] == ("model tiny: building its engine (no engine for this model yet); the run waits")
    assert messages(caplog)[-1] == "model tiny: its engine takes over"
    rig.told(session)
    assert rig.trt.run == 2


def test_an_engine_that_says_something_else_is_refused_with_the_figures(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.trt.wrong_by = 0.5

    session = rig.opened()

    assert rig.told(session) == [[2, 3, 4]]
    assert rig.trt.run == 1
    assert messages(caplog)[-1] == (
        "model tiny: its engine is refused: output 'y' differs from that of ONNX Runtime by 0.125 of what it reaches "
        "in a trial run, expected 0.01 at most; the model runs in ONNX Runtime"
    )


@pytest.mark.parametrize(("live", "seen"), [(False, 1), (False, PROOFS - 1), (True, 1)])
def test_one_that_goes_wrong_on_frames_is_refused_and_no_frame_is_told_wrongly(
    rig: Rig, gate: threading.Event, live: bool, seen: int, caplog: pytest.LogCaptureFixture
) -> None:
    if not live:
        gate.set()
    session = rig.opened(live=live)
    ready(rig, session, gate)
    right = [rig.told(session) for _ in range(seen)]
    rig.trt.wrong_by = 0.5

    assert right + [rig.told(session) for _ in range(3)] == [[[2, 3, 4]]] * (seen + 3)
    assert rig.trt.run == 1 + seen + 1
    assert "on a frame" in messages(caplog)[-1]


def test_one_that_has_proved_itself_is_not_run_twice_any_more(rig: Rig) -> None:
    session = rig.opened()
    for _ in range(PROOFS):
        rig.told(session)
    rig.trt.wrong_by = 0.5

    assert rig.told(session) == [[2.5, 3.5, 4.5]]


def test_half_precision_may_be_less_exact(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.trt.wrong_by = 0.08  # 0.02 of what the output reaches

    rig.opened(precision="fp16")
    assert not any("refused" in one for one in messages(caplog))
    rig.opened()
    assert "refused" in messages(caplog)[-1]


def test_a_model_that_runs_on_nothing_made_up_is_tried_on_its_first_frames(rig: Rig) -> None:
    # The trial is of one row; the engine takes four or more.
    session = rig.opened(extents={"N": [4, 4, 8]})
    rig.trt.wrong_by = 0.5

    assert rig.told(session, [[1, 1, 1]] * 4) == [[2, 3, 4]] * 4
    assert rig.trt.run == 1


def test_who_no_longer_waits_ends_the_building(
    rig: Rig, gate: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    session = rig.opened(live=True)
    backend = rig.accelerated(session)
    assert rig.trt.building.wait(LONG_S)

    session.close()
    gate.set()
    with caplog.at_level("INFO"):
        assert backend.wait(LONG_S)

    assert rig.trt.built == 0
    assert messages(caplog)[-1] == "model tiny: its engine is no longer waited for"


def test_axes_that_nothing_tells_leave_a_model_in_onnx_runtime(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    from tests.pipeline.tiny_model import model

    free = {"inputs": {"x": {"shape": ["N", "K"]}}, "outputs": {"y": {"shape": ["N", "K"]}}}
    session = rig.opened(model("Identity", ("N", "K"), out_shape=("N", "K")), card=free)

    assert rig.told(session) == [[1, 1, 1]]
    assert rig.trt.built == 0
    assert messages(caplog)[-1] == (
        "model tiny: no engine, it runs in ONNX Runtime: input 'x': expected one axis of any extent at most, got N, K: "
        "nothing tells them; see engine.extents"
    )
    told = rig.opened(card={"outputs": OUTPUT, **free}, extents={"N": [1, 1, 4], "K": [3, 3, 3]})
    assert rig.told(told) == [[2, 3, 4]]
    assert rig.trt.built == 1
