"""People made of parts that were found already, and by detectors that know no heads, or no bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodes import resolve
from nodes.detect_parts import DetectParts
from nodes.detect_people import Config, DetectPeople
from nodes.types import Detections, Parts
from pipeline.config import read_config
from pipeline.errors import GraphError
from pipeline.frames import FrameBatch
from pipeline.graph import load_graph
from pipeline.values import equal
from tests import fake_detectors as fake
from tests.helpers import frames, make_node
from tests.repository import ROOT

BODY, HEAD, FRONT, BACK, FACE = 0, 7, 8, 12, 16
ANNA_BODY, ANNA_HEAD = [0.2, 0.1, 0.4, 0.9], [0.27, 0.1, 0.33, 0.2]
BERT_BODY, BERT_HEAD = [0.6, 0.3, 0.8, 1.0], [0.67, 0.3, 0.73, 0.4]
NONE = [np.nan] * 4
ROWS = [
    [BODY, *ANNA_BODY, 0.8], [HEAD, *ANNA_HEAD, 0.7], [HEAD, *BERT_HEAD, 0.9], [BODY, *BERT_BODY, 0.4],
    [FRONT, *ANNA_HEAD, 0.5], [BACK, *BERT_HEAD, 0.3], [BODY, 0.6, 0.3, 0.8, 0.9, 0.36], [FACE, *ANNA_HEAD, 0.9],
]  # fmt: skip
"""A head and a body of two people, one body told twice."""


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def parts_of(batch: FrameBatch, answer: Any, **config: float) -> Parts:
    node = make_node(DetectParts, session=fake.whole_body_34(answer), attribute_min_score=0.02, **config)
    node.open()
    return node.process(batch)


def people_of(batch: FrameBatch, parts: Parts | None, **config: Any) -> Detections:
    node = make_node(DetectPeople, model=None, **config)
    node.open()
    try:
        return node.process(batch, parts)
    finally:
        node.close()


def by_model(batch: FrameBatch, session: Any, **config: Any) -> Detections:
    node = make_node(DetectPeople, session=session, **config)
    node.open()
    return node.process(batch)


def test_people_of_parts_are_those_that_the_model_itself_gives() -> None:
    mask = ((0.0, 0.0), (0.1, 0.0), (0.1, 0.1))
    batch = frames(stream=("shop", "door"), pts_s=(0, 0), pictures=True, config={"shop": {"masks": (mask,)}})

    made = people_of(batch, parts_of(batch, lambda _: ROWS))

    assert len(made) == 4
    assert equal(made, by_model(batch, fake.whole_body_34(lambda _: ROWS)))


def test_parts_are_held_to_the_limits_of_people() -> None:
    batch = frames(1, pictures=True)
    parts = parts_of(batch, lambda _: ROWS)

    surer = people_of(batch, parts, head_min_score=0.8, body_min_score=0.5, direction_min_score=0.31)

    assert np.array_equal(surer.head_box, boxes(BERT_HEAD, NONE), equal_nan=True)
    assert np.array_equal(surer.body_box, boxes(NONE, ANNA_BODY), equal_nan=True)
    assert not surer.direction_scores.any()
    assert np.isnan(people_of(batch, parts, min_head_height=0.11).head_box).all()
    assert len(people_of(batch, parts_of(batch, lambda _: ROWS, object_max_iou=1.0))) == 2
    assert len(people_of(batch, parts_of(batch, lambda _: ROWS, object_max_iou=1.0), body_max_iou=1.0)) == 3


def test_heads_among_parts_that_found_no_body_must_be_as_sure_as_ever() -> None:
    batch = frames(1, pictures=True)
    parts = parts_of(batch, lambda _: [[HEAD, *ANNA_HEAD, 0.5]])

    assert len(people_of(batch, parts, lone_head_min_score=0.51)) == 0


def test_nobody_is_made_of_no_parts() -> None:
    assert len(people_of(frames(2), Parts.empty())) == 0
    assert len(people_of(frames(0), Parts.empty())) == 0


def test_without_a_model_no_pictures_are_looked_at() -> None:
    assert DetectPeople.without_model(Config(model=None))
    assert not DetectPeople.without_model(Config())
    assert Config(model=None).problems(ROOT) == {"model": []}
    assert Config(model=None, input_size_wh=(320, 192)).problems(ROOT) == {
        "input_size_wh": [
            "expected null without a model, got [320, 192]; set that of the detector that finds the parts"
        ]
    }


def test_detectors_of_bodies_give_people_without_heads() -> None:
    batch = frames(1, pictures=True)

    people = by_model(batch, fake.boxes(lambda _: [[*ANNA_BODY, 0.8]], "body"), lone_head_min_score=1.0)

    assert np.array_equal(people.body_box, boxes(ANNA_BODY))
    assert (np.isnan(people.head_box).all(), people.head_score.tolist()) == (True, [0])


def test_detectors_of_faces_give_heads_to_which_being_alone_is_no_fault() -> None:
    batch = frames(1, pictures=True)

    people = by_model(batch, fake.boxes(lambda _: [[0.4, 0.4, 0.6, 0.6, 0.5]]), lone_head_min_score=0.9)

    assert people.head_box[0].tolist() == pytest.approx([0.365, 0.335, 0.635, 0.605])
    assert np.isnan(people.body_box).all()
    assert not people.direction_scores.any()


GRAPH = """\
frames: {type: decode_video}
parts: {type: detect_parts, in: {frames: frames}}
people: {type: detect_people, in: {frames: frames%s}}
"""


def load(folder: Path, edge: str, model: str) -> Any:
    (folder / "g.yaml").write_text(GRAPH % edge, "utf-8")
    (folder / "c.yaml").write_text(f"people: {{model: {model}}}\n", "utf-8")
    config, problems = read_config(Path("c.yaml"))
    return load_graph(Path("g.yaml"), config, resolve, also=problems, root=ROOT)


def test_people_come_from_a_model_or_from_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    specs = [
        load(tmp_path, edge, model).node("people")
        for edge, model in (("", "people-shop-480"), (", parts: parts", "null"))
    ]

    assert [(spec.begins_stage, spec.reads_pictures) for spec in specs] == [(True, True), (False, False)]


@pytest.mark.parametrize(
    ("edge", "model", "said"),
    [
        (
            "",
            "null",
            "g.yaml:3: people.in: expected an edge for input 'parts' (Parts), got none; its values leave out the "
            "model; add {parts: parts}",
        ),
        (
            ", parts: parts",
            "people-shop-480",
            "g.yaml:3: people.in.parts: expected no edge for input 'parts' beside a model, got 'parts'; write people: "
            "{model: null} in the configuration, or remove the edge",
        ),
    ],
    ids=["neither", "both"],
)
def test_neither_and_both_are_refused_before_anything_runs(
    edge: str, model: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(GraphError) as caught:
        load(tmp_path, edge, model)

    assert str(caught.value) == said
