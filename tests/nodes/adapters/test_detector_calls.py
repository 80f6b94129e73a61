"""What detectors are shown and how often, where their answers come from, and which crowds are warned of."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from nodes.ops.wholebody import BODY, HAND
from pipeline.card_fields import Picture
from tests import fake_detectors as fake
from tests.fake_models import FarDevice, FarSession
from tests.helpers import FakeDevice, frames
from tests.nodes.adapters.test_detectors import ANNA, open_limits, opened, told


@pytest.mark.parametrize(
    ("device", "batch", "calls"), [("cuda", "N", [3]), ("cuda", 1, [1, 1, 1]), ("cpu", "N", [1, 1, 1])]
)
def test_frames_share_a_call_on_a_gpu_where_the_file_takes_several(
    device: str, batch: Any, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeDevice, "kind", device)
    session = fake.whole_body_34(lambda _: [[BODY, *ANNA, 0.9]], batch=batch)

    assert len(opened(session).find(frames(3, pictures=True), open_limits())) == 3
    assert [call["input_bgr"].shape for call in session.calls] == [(count, 3, 32, 64) for count in calls]


def test_prepared_files_take_bytes_in_rows() -> None:
    session = fake.whole_body_34(lambda _: [[BODY, *ANNA, 0.9]])
    session.inputs = {"input_bgr": (("N", 32, 64, 3), "uint8")}  # type: ignore[dict-item]

    opened(session).find(frames(1, pictures=True), open_limits())

    (call,) = session.calls
    assert (call["input_bgr"].shape, call["input_bgr"].dtype) == ((1, 32, 64, 3), np.uint8)


def test_pictures_are_made_as_the_card_says() -> None:
    recipe = Picture(colour="rgb", mean=(10, 20, 30), std=(2, 4, 5))
    session = fake.boxes(lambda _: [], picture=recipe)
    batch = frames(1, pictures=True)
    batch.pictures[0].planes[0][:] = (60, 40, 20)

    opened(session).find(batch, open_limits())

    assert session.calls[0]["data"][0, :, 0, 0].tolist() == [5, 5, 6]


@pytest.mark.parametrize("make", [fake.whole_body_34, fake.boxes, fake.yunet, fake.scrfd, fake.yolox])
def test_answers_come_from_the_device(make: Any) -> None:
    near, far = make(lambda _: []), FarSession(make(lambda _: []))
    batch = frames(1, pictures=True)

    assert told(opened(far, FarDevice()).find(batch, open_limits())[0]) == told(
        opened(near).find(batch, open_limits())[0]
    )


def warnings_of(scores: list[list[float]], pts_s: list[float], caplog: Any, min_score: float = 0.3) -> list[str]:
    """Return what is said of frames in which a model with two rows gives these scores."""
    answers = iter(scores)
    session = fake.whole_body_34(lambda _: [[HAND, *ANNA, score] for score in next(answers)], count=2)
    with caplog.at_level(logging.WARNING):
        opened(session).find(frames(pts_s=pts_s, pictures=True), open_limits(min_score))
    return [record.getMessage() for record in caplog.records]


def test_a_crowd_that_uses_up_all_rows_is_warned_of_once(caplog: Any) -> None:
    assert warnings_of([[0.9, 0.2], [0.9, 0.4], [0.9, 0.5]], [0, 2, 3], caplog) == [
        "stream=shop: at 2.0 s all 2 rows of the detector are used, the least sure with a score of 0.40: of this crowd "
        "some may be missing; choose a model with more rows, or raise the least score that counts"
    ]


def test_it_is_warned_of_again_when_it_comes_back_after_a_minute(caplog: Any) -> None:
    full, free = [0.9, 0.5], [0.9, 0.1]

    said = warnings_of([full, free, full, free, full, full], [0, 10, 50, 60, 110, 169], caplog)

    assert [line.split(" s ")[0] for line in said] == ["stream=shop: at 0.0", "stream=shop: at 110.0"]


def test_rows_below_what_counts_are_no_crowd(caplog: Any) -> None:
    assert warnings_of([[0.9, 0.4]], [0], caplog, min_score=0.41) == []


def test_rows_without_a_score_are_no_crowd_whatever_counts(caplog: Any) -> None:
    assert warnings_of([[0.9, 0.0]], [0], caplog, min_score=0.0) == []


def test_frames_after_a_discontinuity_are_warned_of_anew(caplog: Any) -> None:
    session = fake.whole_body_34(lambda _: [[HAND, *ANNA, 0.9]], count=1)
    with caplog.at_level(logging.WARNING):
        opened(session).find(frames(3, generation=(0, 0, 1), pictures=True), open_limits())

    assert len(caplog.records) == 2


def test_a_stream_that_ended_is_warned_of_anew(caplog: Any) -> None:
    detector = opened(fake.whole_body_34(lambda _: [[HAND, *ANNA, 0.9]], count=1))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            detector.find(frames(2, pictures=True), open_limits())
        detector.forget("shop")
        detector.find(frames(1, pictures=True), open_limits())

    assert len(caplog.records) == 2
