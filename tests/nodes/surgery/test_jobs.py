"""What is prepared is held to what was released; prepared files are named by all that they are made of."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, numpy_helper

from nodes.surgery.detector_job import DetectorJob
from nodes.surgery.detector_trial import Outputs
from nodes.surgery.gaze_job import GazeJob
from nodes.surgery.gaze_trial import Answer, apart
from nodes.surgery.job import Job, Rewritten, Source
from nodes.surgery.recipe import key, rewrite
from nodes.surgery.trials import Trial, made_up
from pipeline.card_contract import Contract
from pipeline.cards import ModelCard
from pipeline.errors import ModelError
from tests.nodes.surgery.small_files import detector_file, gaze_file


def card(family: str, size_wh: tuple[int, int] | None = (16, 16)) -> ModelCard:
    return ModelCard(
        name="small", file="small.onnx", family=family, input_size_wh=size_wh, contract=Contract(inputs={}, outputs={})
    )


def rows(outputs: Outputs, picture: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found = outputs["label_xyxy_score"][picture]
    return found[:, 0], found[:, 1:5], found[:, 5]


def gaze_job(model: ModelProto) -> GazeJob:
    return GazeJob(Source(card("gazelle"), Path("small.onnx"), (), Path()), model)


def detector_job(model: ModelProto) -> DetectorJob:
    return DetectorJob(Source(card("wholebody34"), Path("small.onnx"), (), Path()), model, rows)


def changed(rewritten: Rewritten, factor: float) -> Rewritten:
    """Return a rewritten model whose weights are not quite those that were released."""
    model = ModelProto()
    model.CopyFrom(rewritten.model)
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            tensor.CopyFrom(numpy_helper.from_array((values * factor).astype(np.float32), tensor.name))
    return Rewritten(model)


@pytest.mark.parametrize("job", [gaze_job(gaze_file()), detector_job(detector_file())], ids=["gaze", "detector"])
def test_a_model_that_computes_something_else_is_refused(job: Job) -> None:
    trials = {"made-up": made_up((16, 16), 2)}
    rewritten = job.rewrite()

    assert max(job.check(rewritten, trials)["made-up"].values()) <= 1e-6
    with pytest.raises(
        ModelError,
        match=r"^model 'small': expected the rewritten model within 0.0001 of the released one, got 0\.\d+ on made-up "
        r"pictures; the file stays as it is$",
    ):
        job.check(changed(rewritten, 1.02), trials)


def test_the_speed_of_both_is_told() -> None:
    job = gaze_job(gaze_file())

    found = job.speed(job.rewrite(), made_up((16, 16), 2))

    assert (found["pictures"], found["heads"]) == (2, 4)
    assert found["ratio_1"] == pytest.approx(found["released_1"] / found["prepared_1"])


def test_answers_that_are_no_numbers_are_as_bad_as_can_be() -> None:
    job = gaze_job(gaze_file())
    single = job.rewrite().model
    trial = made_up((16, 16), 1)
    broken = ModelProto()
    broken.CopyFrom(single)
    for tensor in broken.graph.initializer:
        if numpy_helper.to_array(tensor).size == 1 and tensor.data_type == 1:
            tensor.CopyFrom(numpy_helper.from_array(np.array(np.nan, np.float32), tensor.name))

    figures = job.apart(single, broken, {"made-up": trial})["made-up"]

    assert job.badness(figures) == np.inf


@pytest.mark.parametrize(("second", "moved"), [(0.895, 0), (0.8, 3)])
def test_of_two_tops_alike_either_may_be_the_peak(second: float, moved: float) -> None:
    one, other = np.zeros((1, 4, 4)), np.zeros((1, 4, 4))
    one[0, 0, 0], one[0, 1, 3] = 0.9, second
    other[0, 1, 3] = 0.9

    assert apart(Answer(one, None), Answer(other, None))["peak_cells_max"] == moved


def test_lost_things_are_bad() -> None:
    job = detector_job(detector_file())

    good = {"score_max": 0.0, "iou_min": 1.0, "lost": 0.0}
    assert job.badness(good) == 0
    assert job.badness(good | {"lost": 0.04}) == pytest.approx(2)
    assert job.badness(good | {"iou_min": 0.8}) == pytest.approx(2)
    assert job.badness(good | {"score_max": 0.1}) == pytest.approx(2)


def test_a_card_without_a_size_is_refused() -> None:
    source = Source(card("wholebody34", None), Path("small.onnx"), (), Path())

    with pytest.raises(ModelError) as caught:
        DetectorJob(source, detector_file(), rows)

    assert str(caught.value) == "model 'small': expected input_size_wh in its card, got none; add it"


def test_a_detector_of_another_size_is_refused() -> None:
    with pytest.raises(ModelError) as caught:
        detector_job(detector_file(side=32, free_size=False))

    assert str(caught.value) == (
        "model 'small': expected an input [N, 3, 16, 16], got ['N', 3, 32, 32]; correct input_size_wh of the card, or "
        "give the file as released"
    )


def test_prepared_files_are_named_by_all_that_they_are_made_of(tmp_path: Path) -> None:
    one, other = tmp_path / "one.mp4", tmp_path / "other.mp4"
    one.write_bytes(b"1")
    other.write_bytes(b"2")

    names = [
        key("a" * 64, "prepared", [one]),
        key("b" * 64, "prepared", [one]),
        key("a" * 64, "fp16", [one]),
        key("a" * 64, "int8", [one]),
        key("a" * 64, "int8", [other]),
    ]

    assert len(set(names)) == 5
    assert all(len(name) == 16 for name in names)
    assert key("a" * 64, "prepared", [other]) == names[0]  # nothing in it depends on the clip


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_a_file_that_is_valid_and_makes_no_sense_is_refused_or_rewritten(seed: int) -> None:
    """Inputs of nodes swapped, constants changed, attributes gone: what the checker lets through breaks nothing."""
    rng, model = np.random.default_rng(seed), gaze_file()
    nodes = model.graph.node
    for _ in range(2):
        node = nodes[int(rng.integers(len(nodes)))]
        what = int(rng.integers(3))
        if what == 0 and len(node.input) > 1:
            node.input[0], node.input[1] = node.input[1], node.input[0]
        elif what == 1 and len(node.attribute):
            del node.attribute[int(rng.integers(len(node.attribute)))]
        else:
            tensor = model.graph.initializer[int(rng.integers(len(model.graph.initializer)))]
            values = numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(values * rng.integers(-2, 3).astype(values.dtype), tensor.name))
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError:
        return  # refused when it is read

    try:
        rewrite(gaze_job(model))
    except ModelError as error:
        assert str(error).startswith("model small.onnx: ") or "rewritten model" in str(error)


def test_one_head_per_picture_is_enough_for_a_trial() -> None:
    job = gaze_job(gaze_file())
    whole = made_up((16, 16), 3)
    trial = Trial(whole.pictures, whole.boxes[[0, 2, 4]], np.arange(3))

    assert job.check(job.rewrite(), {"three": trial})["three"]["batch_max"] <= 1e-6
