"""Runs of engines as CUDA graphs, on a stand-in that does what was recorded, where it was recorded, and no more."""

from __future__ import annotations

import gc
import logging
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.backends import recorded
from pipeline.backends.recorded import Recorded
from pipeline.settings import EngineConfig
from tests.pipeline.backends.rig import Rig


def test_runs_that_are_alike_are_recorded_at_the_second_and_repeated(rig: Rig) -> None:
    session = rig.opened(cuda_graphs=True)

    told = [rig.told(session, [[value] * 3]) for value in range(8)]

    assert told == [[[value + 1, value + 2, value + 3]] for value in range(8)]
    # A trial of one row as it opens, and the run that TensorRT wants before it is recorded.
    assert (rig.trt.run, rig.trt.repeated) == (1 + 1, 8)


def test_without_it_nothing_is_recorded(rig: Rig) -> None:
    session = rig.opened()
    for _ in range(4):
        rig.told(session)

    assert (rig.trt.run, rig.trt.repeated) == (1 + 4, 0)


def test_outputs_are_the_callers_for_ever(rig: Rig) -> None:
    session = rig.opened(cuda_graphs=True)
    kept = [session.run(rig.fed(np.full((5, 3), value)))["y"] for value in range(12)]
    session.close()
    gc.collect()

    for value, array in enumerate(kept):
        assert rig.device.to_host(array)[4].tolist() == [value + 1, value + 2, value + 3]
    assert rig.trt.repeated == 11


def test_inputs_may_be_let_go_at_once_and_lie_anywhere(rig: Rig) -> None:
    session = rig.opened(cuda_graphs=True)
    whole = rig.fed(np.arange(30).reshape(10, 3))["x"]

    told = [session.run({"x": whole[k : k + 2]})["y"] for k in range(8)]
    del whole
    gc.collect()

    assert [rig.device.to_host(array)[0].tolist() for array in told] == [
        [3 * k + 1, 3 * k + 3, 3 * k + 5] for k in range(8)
    ]


def test_nobody_waits_for_the_device_where_nobody_reads(rig: Rig) -> None:
    session = rig.opened(cuda_graphs=True)
    for _ in range(5):
        rig.told(session)

    begun = rig.device.fake.current.done
    session.run(rig.fed([[1, 1, 1]]))

    assert rig.device.fake.current.done == begun


def test_each_shape_has_its_recording_and_the_fifth_has_none(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "MOST", 3)
    session = rig.opened(cuda_graphs=True)

    for _ in range(3):
        for rows in (2, 3, 4, 5, 6):
            assert rig.told(session, np.full((rows, 3), rows)) == [[rows + 1, rows + 2, rows + 3]] * rows

    trial, first, before_recording, without = 1, 5, 3, 2 * 2
    assert rig.trt.run == trial + first + before_recording + without
    assert rig.trt.repeated == 3 * 2


def test_each_thread_has_recordings_of_its_own(rig: Rig) -> None:
    session = rig.opened(cuda_graphs=True)
    for _ in range(4):
        rig.told(session)
    wrong = rig.wrong_side_by_side(session, threads=3, times=20)

    assert wrong == []
    assert 4 + 3 * 19 <= rig.trt.repeated <= 4 + 3 * 20  # a thread may have the number of one that has ended


def test_a_recording_has_to_prove_itself_as_any_engine(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stale(self: Recorded, inputs: Any) -> dict[str, Any]:
        self.repeat()  # what it was recorded with, as if inputs were never copied
        return {name: array.copy() for name, array in self.outputs.items()}

    monkeypatch.setattr(Recorded, "run", stale)
    session = rig.opened(cuda_graphs=True)

    assert rig.told(session, [[1, 1, 1]]) == [[2, 3, 4]]
    assert rig.told(session, [[9, 9, 9]]) == [[10, 11, 12]]
    assert "its engine is refused: output 'y' differs" in caplog.text


def test_what_cannot_be_recorded_is_run_and_why_is_said_once(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.trt.cannot_record = "a layer waits\nfor the host"
    session = rig.opened(cuda_graphs=True)

    told = [rig.told(session, [[value] * 3]) for value in range(5)]

    assert told == [[[value + 1, value + 2, value + 3]] for value in range(5)]
    assert rig.trt.repeated == 0
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == [
        "model tiny: no CUDA graphs, its kernels are launched one by one: TensorRT could not run: a layer waits for "
        "the host"
    ]


def test_an_output_whose_size_shows_only_in_the_run_is_not_recorded(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    session = rig.opened_finder(cuda_graphs=True)

    for _ in range(4):
        assert rig.told(session, [[0, 1, 0], [1, 0, 1]]) == [[0, 1, 1], [1, 0, 2]]
    assert "no CUDA graphs, its kernels are launched one by one: the size of ['y'] shows only in the run" in caplog.text


@pytest.mark.parametrize("backend", ["auto", "onnxruntime", "onnxruntime-tensorrt"])
def test_other_backends_have_none(backend: Any) -> None:
    with pytest.raises(ValidationError, match=f"cuda_graphs: expected the backend tensorrt, got '{backend}'; add"):
        EngineConfig(backend=backend, cuda_graphs=True)


def test_the_processor_repeats_what_it_is_given_to_record() -> None:
    from pipeline.device import open_device

    done: list[int] = []
    device = open_device("cpu")
    repeat = device.recorded(lambda: done.append(len(done)))
    repeat()
    repeat()

    assert done == [0, 1]
