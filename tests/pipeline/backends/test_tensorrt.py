"""Engines of TensorRT, on a stand-in that refuses calls in the wrong order and is late with all it does."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.backends import tensorrt
from pipeline.errors import ConfigError, ModelError
from pipeline.session import open_session
from tests.fake_arrays import DeviceArray
from tests.pipeline.backends.rig import Rig
from tests.pipeline.test_optional_inputs import OUTPUT, ROW, X, picker
from tests.pipeline.tiny_model import install


def test_a_model_runs_by_its_engine(rig: Rig) -> None:
    session = rig.opened()

    assert [rig.told(session, np.full((rows, 3), rows)) for rows in (1, 4, 32)] == [
        [[rows + 1, rows + 2, rows + 3]] * rows for rows in (1, 4, 32)
    ]
    assert (rig.trt.built, rig.trt.run) == (1, 4)
    assert (session.inputs, session.outputs) == ({"x": (("N", 3), "float32")}, {"y": (("N", 3), "float32")})


def test_outputs_are_the_callers_for_ever(rig: Rig) -> None:
    session = rig.opened()
    kept = [session.run(rig.fed(np.full((5, 3), value)))["y"] for value in range(12)]
    session.close()

    for value, array in enumerate(kept):
        assert rig.device.to_host(array)[4].tolist() == [value + 1, value + 2, value + 3]
    assert rig.trt.run == 1 + 12


def test_nobody_waits_for_the_device_where_nobody_reads(rig: Rig) -> None:
    session = rig.opened()
    for _ in range(5):
        rig.told(session)

    begun = rig.device.fake.current.done
    session.run(rig.fed([[1, 1, 1]]))

    assert rig.device.fake.current.done == begun
    assert rig.trt.run == 1 + 6


def test_a_part_of_an_array_is_brought_where_tensorrt_wants_it(rig: Rig) -> None:
    session = rig.opened()
    whole = rig.fed(np.arange(12).reshape(4, 3))["x"]

    told = session.run({"x": whole[1:3]})["y"]

    assert rig.device.to_host(told).tolist() == [[4, 6, 8], [7, 9, 11]]
    assert rig.trt.run == 1 + 1


def test_each_thread_has_a_context_and_a_stream_of_its_own(rig: Rig) -> None:
    session = rig.opened()
    for _ in range(4):
        rig.told(session)
    wrong = rig.wrong_side_by_side(session, threads=3, times=20)

    assert wrong == []
    assert rig.trt.run == 1 + 4 + 60


@pytest.mark.parametrize("cuda_graphs", [False, True])
def test_a_thread_with_the_number_of_one_that_ended_waits_for_what_that_began(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, cuda_graphs: bool
) -> None:
    session = rig.opened(cuda_graphs=cuda_graphs)
    for _ in range(3):
        rig.told(session)
    number, told = threading.get_ident(), []
    first = session.run(rig.fed([[1, 1, 1]]))["y"]
    monkeypatch.setattr(tensorrt, "threading", SimpleNamespace(get_ident=lambda: number))
    thread = threading.Thread(target=lambda: told.append(rig.told(session, [[5, 5, 5]])))
    thread.start()
    thread.join()

    assert told == [[[6, 7, 8]]]
    assert rig.device.to_host(first).tolist() == [[2, 3, 4]]


def test_a_model_is_not_let_go_while_the_device_runs_it(rig: Rig) -> None:
    session = rig.opened()
    for _ in range(4):
        rig.told(session)
    told = session.run(rig.fed([[1, 1, 1]]))["y"]

    session.close()
    gc.collect()

    assert rig.device.to_host(told).tolist() == [[2, 3, 4]]
    assert rig.trt.run == 1 + 5


def test_an_input_that_the_file_has_a_value_for_is_fed_to_the_engine(rig: Rig) -> None:
    install(rig.root, picker(), OUTPUT, {"x": X, "row": ROW})
    session = open_session("tiny", rig.device, rig.root, acceleration=rig.acceleration())
    x, row = (rig.device.xp.asarray(np.array(values)) for values in (np.array([5, 7], np.float32), [1, 0, 1]))

    for _ in range(6):
        assert rig.device.to_host(session.run({"x": x, "row": row})["y"]).tolist() == [7, 5, 7]
    begun = rig.trt.run
    assert rig.device.to_host(session.run({"x": x})["y"]).tolist() == [5]

    assert (begun, rig.trt.run) == (1 + 6, begun)


def test_an_output_whose_size_shows_only_in_the_run_is_as_large_as_it_turns_out(rig: Rig) -> None:
    session = rig.opened_finder()

    for _ in range(6):
        assert rig.told(session, [[0, 1, 0], [1, 0, 1]]) == [[0, 1, 1], [1, 0, 2]]
    assert rig.trt.run == 7


@pytest.mark.parametrize("rows", [0, 33])
def test_shapes_that_no_engine_was_built_for_go_to_onnx_runtime_and_are_counted(
    rig: Rig, rows: int, caplog: pytest.LogCaptureFixture
) -> None:
    session = rig.opened()
    begun = rig.trt.run

    told = [rig.told(session, np.zeros((rows, 3))) for _ in range(3)]
    with caplog.at_level(logging.WARNING):
        session.close()

    assert told == [[[1, 2, 3]] * rows] * 3
    assert rig.trt.run == begun
    assert [r.getMessage() for r in caplog.records if "its engine takes" in r.getMessage()] == [
        f"model tiny: its engine takes x:1x3 to x:32x3, tuned for x:4x3, got {{'x': [{rows}, 3]}}: such runs go to "
        "ONNX Runtime; name other extents in engine.extents to have them in the engine"
    ]
    assert caplog.records[-1].getMessage() == (
        "model tiny: 3 runs had shapes that its engine does not take and went to ONNX Runtime"
    )


def test_half_precision_is_asked_for_only_when_told(rig: Rig) -> None:
    rig.opened()
    assert rig.trt.flags == []

    rig.opened(precision="fp16")
    assert rig.trt.flags == [rig.trt.BuilderFlag.FP16]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"cannot_read": "no such operator: Foo"}, "TensorRT cannot read the file: no such operator: Foo"),
        ({"wants_on_host": {"x"}}, "its inputs ['x'] decide on shapes, so TensorRT wants them on the host"),
    ],
)
def test_a_model_that_tensorrt_cannot_do_runs_without_and_that_is_said(
    rig: Rig, fault: dict[str, Any], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in fault.items():
        setattr(rig.trt, name, value)

    session = rig.opened()

    assert rig.told(session) == [[2, 3, 4]]
    assert rig.trt.run == 0
    assert caplog.records[-1].getMessage() == f"model tiny: no engine, it runs in ONNX Runtime: {told}"


def test_a_run_that_fails_names_the_model(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    session = rig.opened()
    monkeypatch.setattr("tests.fake_engine.Context.execute_async_v3", lambda self, handle: False)

    with pytest.raises(ModelError, match=r"tiny.onnx: failed on inputs of shape {'x': .1, 3.}: TensorRT could not run"):
        session.run(rig.fed([[1, 1, 1]]))


def test_another_version_is_refused_before_anything_runs(rig: Rig) -> None:
    rig.trt.__version__ = "11.4.0"

    with pytest.raises(ConfigError) as caught:
        rig.acceleration()

    assert str(caught.value) == (
        "engine.backend 'tensorrt': expected TensorRT, got none: expected TensorRT 10, got 11.4.0 (pip install "
        "'tensorrt-cu13>=10.9,<11')"
    )


def test_without_the_package_what_to_type_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)

    with pytest.raises(tensorrt.RefusedEngineError, match=r"\(pip install 'tensorrt-cu13>=10.9,<11'\)$"):
        tensorrt.load()


def test_outputs_can_be_lent_to_others(rig: Rig) -> None:
    session = rig.opened()

    told = session.run(rig.fed([[1, 1, 1]]))["y"]

    assert isinstance(told, DeviceArray)
    assert told.__dlpack_device__() == (2, 0)
