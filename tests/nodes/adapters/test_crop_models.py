"""Models that look at crops: what they are shown, how often they are asked, and what is refused."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from nodes.adapters.crop_models import crop_model, cut_out
from pipeline.card_fields import Crop
from pipeline.device_cpu import CpuDevice
from pipeline.errors import ModelError
from pipeline.frames import Picture
from tests.fake_face_models import face_gaze_model, landmarks_model
from tests.fake_models import FarDevice, FarSession
from tests.helpers import FakeDevice, frames, picture


def test_a_margin_that_is_cut_off_again_is_one_crop() -> None:
    """A box of 1.2 heads shrunk to 256 px, of which the middle 224 are kept: a scale of 1.2 · 224 / 256."""
    small = np.random.default_rng(4).integers(0, 255, (9, 12, 3), np.uint8)
    image = cv2.resize(small, (640, 480), interpolation=cv2.INTER_CUBIC)
    shown = frames(1, pictures=[Picture((image,), "bgr")], size_wh=(640, 480))
    box, row = np.array([[0.3, 0.3, 0.6, 0.7]]), np.array([0])

    whole = cut_out(CpuDevice(), shown, row, box, (256, 256), Crop(scale=1.2))
    made = cut_out(CpuDevice(), shown, row, box, (224, 224), Crop(scale=1.2 * 224 / 256))

    assert np.abs(made - whole[:, :, 16:240, 16:240]).max() <= 2


def test_grey_crops_are_one_channel_and_take_the_first_numbers() -> None:
    model = crop_model(face_gaze_model(lambda image: (0, 0), colour="grey"), "m", "where", "face_gaze", "face_gaze")
    shown = frames(1, pictures=[picture((64, 36), (30, 60, 90))], size_wh=(64, 36))
    crop = Crop(colour="grey", mean=(10, 0, 0), std=(5, 1, 1))

    made = cut_out(FakeDevice(), shown, np.array([0]), np.array([[0, 0, 0.5, 0.5]]), (8, 8), crop)

    assert (made.shape, model.crop.colour) == ((1, 1, 8, 8), "grey")
    assert made == pytest.approx((60 - 10) / 5)


@pytest.mark.parametrize(("batch", "calls"), [("N", [2, 1]), (1, [1, 1, 1])])
def test_answers_are_those_of_all_crops_and_a_call_on_a_cpu_is_about_one_frame(batch: Any, calls: list[int]) -> None:
    near = landmarks_model(lambda image: [image.mean()] * 10, batch=batch)
    model = crop_model(near, "m", "where", "face_landmarks")
    crops = np.arange(3, dtype=np.float32)[:, None, None, None] * np.ones((1, 3, 48, 48), np.float32)

    answer = model.answers(FakeDevice(), crops, np.array([0, 0, 1]))["95"]

    assert answer[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert [len(call["0"]) for call in near.calls] == calls


def test_answers_come_from_the_device_which_is_asked_once_for_all_frames() -> None:
    device, near = FarDevice(), landmarks_model(lambda image: [7] * 10)
    model = crop_model(FarSession(near), "m", "where", "face_landmarks")

    answer = model.answers(device, device.xp.asarray(np.zeros((2, 3, 48, 48), np.float32)), np.arange(2))["95"]

    assert (answer == 7).all()
    assert [len(call["0"]) for call in near.calls] == [2]


REFUSED = {
    "family": (
        face_gaze_model(lambda image: (0, 0)),
        "face_landmarks",
        "where: expected a card of the family 'face_landmarks' with input_size_wh and one input, got 'm' of "
        "'face_gaze' with ['face']; choose a model of that family",
    ),
    "block": (
        face_gaze_model(lambda image: (0, 0), face_gaze=None),
        "face_gaze",
        "where: expected a card of the family 'face_gaze' with input_size_wh, face_gaze and one input, got 'm' of "
        "'face_gaze' with ['face']; choose a model of that family",
    ),
    "batch": (
        face_gaze_model(lambda image: (0, 0), batch=4),
        "face_gaze",
        "where: expected a model that takes one crop at a time, or any number, got 4 at a time in 'm'; export it with "
        "a free first axis",
    ),
    "channels": (
        face_gaze_model(lambda image: (0, 0), crop=Crop(colour="grey")),
        "face_gaze",
        "where: expected an input of 1 channels for crops in 'grey', got 3 in 'm'; correct crop.colour in the card",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_other_models_are_refused(what: str) -> None:
    session, family, message = REFUSED[what]

    with pytest.raises(ModelError) as caught:
        crop_model(session, "m", "where", family, "face_gaze" if family == "face_gaze" else "")

    assert str(caught.value) == message
