"""Who is described, with what, on models that say the mean colour of a crop; and real people with a real model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from benchmarks.real_labels import PERSONS, RETAIL, RETAIL_WH
from nodes.estimate_appearance import EstimateAppearance
from nodes.types import Detections
from pipeline.card_fields import Crop
from pipeline.cards import load_card
from pipeline.device_cpu import CpuDevice
from pipeline.errors import ModelError
from pipeline.frames import FrameBatch, Picture
from pipeline.ports import config_of
from pipeline.recording import Recorder, Recording
from pipeline.session import Session
from pipeline.tick import Slot, Tick
from pipeline.values import concat, equal, items
from tests.fake_models import appearance_model
from tests.helpers import FakeContext, FakeSession, frames, make_node, table
from tests.repository import ROOT

LEFT, MIDDLE, RIGHT = [0.1, 0.1, 0.3, 0.9], [0.4, 0.1, 0.6, 0.9], [0.7, 0.1, 0.9, 0.9]
NOBODY = [0.0, 0.0, 0.0]


def colour(crop: np.ndarray) -> np.ndarray:
    return crop.mean(axis=(0, 1))


def opened(session: Any = None, **config: Any) -> Any:
    node = make_node(EstimateAppearance, session=session or appearance_model(colour), **config)
    node.open()
    return node


def shown(count: int = 1, **options: Any) -> FrameBatch:
    """Return frames (360 px high) that are blue on the left, green in the middle and red on the right."""
    pixels = np.zeros((360, 640, 3), np.uint8)
    for channel, (x1, _, x2, _) in enumerate((LEFT, MIDDLE, RIGHT)):
        pixels[:, round(x1 * 640) : round(x2 * 640), channel] = 200
    return frames(count, pictures=[Picture((pixels,), "bgr")] * count, **options)


def people(*boxes: list[float], score: float = 0.9, frame_row: Any = 0, **columns: Any) -> Detections:
    rows = np.broadcast_to(frame_row, len(boxes)).tolist()
    return table(Detections, frame_row=rows, body_box=boxes, **{"body_score": [score] * len(boxes), **columns})


def test_people_get_unit_vectors_of_their_own_crops() -> None:
    found = people(LEFT, RIGHT, MIDDLE, direction_scores=np.eye(3, 8))

    made = opened(appearance_model(lambda crop: 7 * colour(crop))).process(shown(), found)

    np.testing.assert_allclose(made.appearance, [[1, 0, 0], [0, 0, 1], [0, 1, 0]], atol=1e-6)
    assert made.appearance.dtype == np.float32
    others = [name for name, _ in items(made) if name != "appearance"]
    assert all(getattr(made, name) is getattr(found, name) for name in others)


@pytest.mark.parametrize(
    ("box", "score", "config"),
    [
        (LEFT, 0.39, {}),
        ([0.1, 0.1, 0.3, 0.22], 0.9, {}),  # 43 px
        ([np.nan] * 4, 0.9, {}),
        ([0.1, 0.1, 0.1, 0.9], 0.9, {"min_height_px": 0}),
    ],
    ids=["doubtful", "small", "only a head", "without width"],
)
def test_who_is_not_seen_well_is_not_described(box: list[float], score: float, config: dict[str, float]) -> None:
    found = people(box, RIGHT, body_score=[score, 0.4])

    made = opened(**config).process(shown(), found)

    assert made.appearance.tolist() == [NOBODY, [0, 0, 1]]


def test_limits_are_those_that_are_set() -> None:
    small = people([0.1, 0.1, 0.3, 0.22], LEFT, body_score=[0.9, 0.2])

    made = opened(min_height_px=40, min_body_score=0.2, max_overlap=1).process(shown(), small)

    assert made.appearance.tolist() == [[1, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize(("reach", "described"), [(0.15, [True, True]), (0.17, [True, False])])
def test_people_of_whom_too_much_is_covered_are_not_described(reach: float, described: list[bool]) -> None:
    behind = [0.3 - reach / 2, 0.5, 0.3 - reach / 2 + 0.25, 0.9]  # covered by reach / 0.5 of its width

    made = opened(max_overlap=0.32).process(shown(), people(LEFT, behind))

    assert made.appearance.any(axis=1).tolist() == described


def test_boxes_cover_nobody_in_another_frame() -> None:
    made = opened().process(shown(2), people(LEFT, LEFT, frame_row=[0, 1]))

    assert made.appearance.tolist() == [[1, 0, 0], [1, 0, 0]]


def test_of_many_people_those_with_the_best_scores_are_described() -> None:
    model = appearance_model(colour)
    found = people(LEFT, MIDDLE, RIGHT, LEFT, frame_row=[0, 0, 0, 1], body_score=[0.7, 0.8, 0.9, 0.5])

    made = opened(model, max_people=2).process(shown(2), found)

    assert made.appearance.any(axis=1).tolist() == [False, True, True, True]
    assert [len(call["crop"]) for call in model.calls] == [2, 1]


def test_frames_between_are_left_out() -> None:
    clip = shown(8, step_s=0.1, start_s=0.05)
    node = opened(every_s=0.25)

    made = node.process(clip, people(*[LEFT] * 8, frame_row=range(8)))

    assert made.appearance.any(axis=1).tolist() == [True, False, True, False, False, True, False, True]
    node.stream_ended("shop")
    again = node.process(clip.take([7]), people(LEFT))
    assert again.appearance.any()
    anew = node.process(shown(2, start_s=1.0, step_s=0.01, generation=[0, 1]), people(LEFT, LEFT, frame_row=[0, 1]))
    assert anew.appearance.any(axis=1).tolist() == [True, True]


def test_a_frame_on_which_the_model_failed_is_described_when_it_is_run_again() -> None:
    failures = iter([ModelError("broken")])

    def answer(crop: np.ndarray) -> np.ndarray:
        for failure in failures:
            raise failure
        return colour(crop)

    node = opened(appearance_model(answer), every_s=1)
    with pytest.raises(ModelError):
        node.process(shown(), people(LEFT))

    assert node.process(shown(), people(LEFT)).appearance.any()


def test_a_model_of_one_crop_at_a_time_is_asked_once_for_each() -> None:
    model = appearance_model(colour, batch=1)

    made = opened(model).process(shown(), people(LEFT, MIDDLE))

    assert [len(call["crop"]) for call in model.calls] == [1, 1]
    assert made.appearance.tolist() == [[1, 0, 0], [0, 1, 0]]


def test_nobody_to_describe_is_no_call_of_the_model() -> None:
    model = appearance_model(colour)
    node = opened(model)

    made = node.process(shown(), people(LEFT, score=0.1))
    none = node.process(shown(), Detections.empty())

    assert (made.appearance.tolist(), none.appearance.shape, model.calls) == ([NOBODY], (0, 3), [])


@pytest.mark.parametrize("said", [[0, 0, 0], [np.nan, 1, 0], [np.inf, 0, 0]])
def test_what_has_no_direction_is_no_description(said: list[float]) -> None:
    with np.errstate(invalid="ignore"):
        made = opened(appearance_model(lambda crop: said)).process(shown(), people(LEFT))

    assert made.appearance.tolist() == [NOBODY]


def test_the_card_says_how_crops_are_cut_and_scaled() -> None:
    crop = Crop(scale=2.0, square=True, colour="rgb", mean=(100, 0, 0), std=(1, 2, 4))
    model = FakeSession(
        lambda inputs: {"v": inputs["x"].mean(axis=(2, 3))},
        inputs={"x": ("N", 3, 8, 4)},
        outputs={"v": ("N", 3)},
        family="appearance",
        input_size_wh=(4, 8),
        crop=crop,
    )
    dark = np.full((360, 640, 3), (40, 80, 120), np.uint8)
    dark[90:270, 230:410] = 0  # what the crop is of, enlarged to (96 × 2)² px about (320, 180), but for its rim

    opened(model).process(frames(1, pictures=[Picture((dark,), "bgr")]), people([0.45, 0.3, 0.55, 0.7]))

    (asked,) = model.calls[0]["x"]
    assert asked.shape == (3, 8, 4)
    np.testing.assert_allclose(asked[:, 0, 0], [120 - 100, 80 / 2, 40 / 4])
    np.testing.assert_allclose(asked[:, 4, 2], [-100, 0, 0])


@pytest.mark.parametrize(
    "card",
    [
        {"family": "gazelle"},
        {"input_size_wh": None},
        {"length": "D"},
        {"inputs": {"crop": ("N", 8, 4, 4)}},
        {"inputs": {"crop": ("N", 8, 4, 3), "more": ("N",)}},
        {"outputs": {"vector": ("N", 3), "more": ("N", 3)}},
        {"outputs": {"vector": ("N", 3, 1)}},
    ],
    ids=["family", "size", "length", "channels", "inputs", "outputs", "rank"],
)
def test_other_models_are_refused(card: dict[str, Any]) -> None:
    inputs, outputs = card.pop("inputs", {"crop": ("N", 8, 4, 3)}), card.pop("outputs", None)
    outputs = outputs or {"vector": ("N", card.pop("length", 3))}
    values = {"family": "appearance", "input_size_wh": (4, 8), "crop": Crop(), **card}
    model = FakeSession(lambda inputs: {}, inputs=inputs, outputs=outputs, **values)

    with pytest.raises(ModelError) as caught:
        opened(model, model="net")

    assert str(caught.value) == (
        "estimate_appearance.model: expected a card of the family 'appearance' with input_size_wh, one input of "
        f"pictures and one output [N, length], got 'net' of {values['family']!r} with {model.inputs} and "
        f"{model.outputs}; choose a re-identification model"
    )


def test_a_missing_model_is_told_before_a_run(tmp_path: Path) -> None:
    config = config_of(EstimateAppearance)()

    told = config.problems(tmp_path)["model"]

    assert told == [
        f"model 'person-reidentification-retail-0248': expected a card at "
        f"{tmp_path}/configs/models/person-reidentification-retail-0248.yaml, got no such file (configs/models: none)"
    ]


def test_people_with_and_without_vectors_are_told_apart_and_joined() -> None:
    described = opened().process(shown(), people(LEFT))
    plain = table(Detections, body_box=[LEFT], appearance=np.empty((1, 0)))

    assert Detections.empty().appearance.shape == (0, 0)
    assert concat([Detections.empty(), described, described]).appearance.shape == (2, 3)
    assert concat([plain, Detections.empty()]).appearance.shape == (1, 0)
    assert plain.take([0, 0]).appearance.shape == (2, 0)
    assert not equal(plain, described)


@pytest.mark.parametrize("length", [0, 3])
def test_vectors_of_any_length_come_back_from_a_recording(length: int, tmp_path: Path) -> None:
    batch = shown()
    found = people(LEFT, RIGHT, appearance=np.full((2, length), 0.5))
    recorder = Recorder("described", Detections, tmp_path)
    recorder.add(Tick(0, batch, (), {"described": Slot(found)}))
    recorder.close()

    (read,) = Recording("described", Detections, tmp_path)

    assert equal(read.value, found)


def test_real_people_look_more_like_themselves_than_like_others(real_models: Path, real_data: Path) -> None:
    rows = np.loadtxt(real_data / PERSONS, delimiter=",")
    numbers = np.unique(rows[:, 0]).astype(int)[:4]  # two seconds apart
    rows = rows[np.isin(rows[:, 0], numbers)]
    wide, high = RETAIL_WH
    box = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1) / (wide, high, wide, high)
    found = table(
        Detections,
        frame_row=np.searchsorted(numbers, rows[:, 0]),
        body_box=box.clip(0, 1),
        body_score=rows[:, 6],  # 0 for those who are hidden
    )
    with av.open(str(real_data / RETAIL)) as clip:
        every = enumerate(clip.decode(video=0), 1)
        pictures = [Picture((f.to_ndarray(format="bgr24"),), "bgr") for k, f in every if k in numbers]
    card, _ = load_card("person-reidentification-retail-0248", ROOT)
    device = CpuDevice()
    session = Session(card, real_models / "person-reidentification-retail-0248.onnx", device)
    node = make_node(EstimateAppearance, FakeContext(session=session, device=device), max_overlap=0.2)
    node.open()

    made = node.process(frames(len(numbers), pictures=pictures, size_wh=RETAIL_WH), found)
    node.close()

    seen = made.appearance.any(axis=1)
    vectors, who = made.appearance[seen], rows[seen, 1]
    alike, pair = vectors @ vectors.T, np.triu(np.ones((len(who), len(who)), bool), 1)
    same = alike[pair & (who[:, None] == who)]
    other = alike[pair & (who[:, None] != who)]
    assert (len(same) >= 10, len(other) >= 50) == (True, True)
    assert np.median(same) > 0.6
    assert np.quantile(other, 0.9) < 0.4
    assert (same[:, None] > other).mean() > 0.97
