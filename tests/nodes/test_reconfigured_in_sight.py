"""Areas, masks and thresholds change while people are in the picture: who they are and what they look at goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nodes import resolve
from nodes.detect_people import DetectPeople
from nodes.draw_overlay import DrawOverlay
from nodes.hit_aoi import HitAoi
from nodes.measure_attention import MeasureAttention
from nodes.measure_looks import MeasureLooks
from nodes.ops import cloud_events
from nodes.publish_events import PublishEvents
from nodes.track_people import TrackPeople
from nodes.types import AoiHits, Tracks, Visits
from nodes.write_events import WriteEvents
from pipeline.config import config_from
from pipeline.configured import changes_of, configured, with_streams_of
from pipeline.frames import FrameBatch, Stream
from pipeline.graph import Graph, graph_from
from pipeline.node import Context, Node
from pipeline.running import RunningNode
from pipeline.streams import StreamConfig
from pipeline.tick import Slot, Tick, no_frames
from pipeline.yaml_source import parse_yaml
from tests.helpers import FakeDevice, frames, make_node, table
from tests.nodes.published import logged, visits
from tests.nodes.test_detect_people import ANNA_HEAD, BERT_HEAD, HEAD, boxes
from tests.nodes.test_detect_people import detector as detector_of
from tests.nodes.test_draw_overlay import AREAS, INNER, blurred, clip, drawn, expected, opened
from tests.nodes.test_draw_overlay import person as drawn_person
from tests.nodes.test_hit_aoi import ALONE, COFFEE, SHELF, TEA, gaze
from tests.nodes.walkers import found, person

GRAPH = """\
frames: {type: decode_video}
people: {type: detect_people,     in: {frames: frames}}
tracks: {type: track_people,      in: {frames: frames, people: people}}
gaze:   {type: estimate_gaze,     in: {frames: frames, tracks: tracks}}
points: {type: locate_gaze,       in: {gaze: gaze}}
hits:   {type: hit_aoi,           in: {frames: frames, gaze: gaze, points: points, tracks: tracks}}
looks:  {type: measure_looks,     in: {frames: frames, hits: hits}}
log:    {type: write_events,      in: {frames: frames, looks: looks}}
bus:    {type: publish_events,    in: {frames: frames, looks: looks}}
"""
MODELS = {"people-shop-480": ("people", "sha256:1"), "gaze-shop-480": ("gaze", "sha256:2")}


def retail() -> Graph:
    values, problems = config_from(parse_yaml("", "none"))
    assert not problems
    return graph_from(parse_yaml(GRAPH, "shop.yaml"), "shop.yaml", values, resolve, root=None)


def changed(node: Node[Any], **values: Any) -> None:
    """Change values of a node between two frames."""
    node.config = node.config.model_copy(update=values)
    node.reconfigured()


def with_aois(shown: FrameBatch, **aois: Any) -> FrameBatch:
    """Return frames whose stream has other areas."""
    config = StreamConfig(url="shop.mp4", aois=aois)
    return replace(shown, streams={"shop": Stream("shop", config)})


# who is there


def test_people_keep_their_numbers_when_every_live_value_changes() -> None:
    node: TrackPeople = make_node(TrackPeople)
    node.open()
    seen = []
    for index in range(20):
        if index == 10:
            changed(node, high_score=0.3, new_score=0.9, min_likeness=0.1, confirm_s=2.0, max_lost_s=9.0, speed=1.2)
        people = [person(0.2 + 0.01 * index, score=0.8), person(0.8 - 0.01 * index, score=0.7)]
        people += [person(0.5, score=0.85)] if index >= 12 else []
        seen.append(node.process(frames(1, start_s=0.1 * index, step_s=0.1), found(*people)).track_id.tolist())

    assert seen == [[1, 2]] * 20  # the third one is below the score from which somebody is new


def test_a_mask_hides_who_is_under_it_from_the_frame_on_that_has_it() -> None:
    left = ((0.0, 0.0), (0.45, 0.0), (0.45, 1.0), (0.0, 1.0))
    rows = [[HEAD, *ANNA_HEAD, 0.9], [HEAD, *BERT_HEAD, 0.8]]
    node: DetectPeople = make_node(DetectPeople, session=detector_of(lambda _: rows))
    node.open()

    seen = [
        node.process(frames(1, start_s=start_s, pictures=True, config={"shop": {"masks": masks}})).head_box
        for start_s, masks in ((0.0, ()), (0.1, (left,)), (0.2, ()))
    ]

    assert [len(each) for each in seen] == [2, 1, 2]
    assert np.array_equal(seen[1], boxes(BERT_HEAD))


# who looks at what


def hits(targets: Sequence[str], at_s: float) -> tuple[FrameBatch, AoiHits]:
    """Return a frame in which somebody looks at all targets."""
    count = len(targets)
    shown = frames(pts_s=[at_s], step_s=0.1)
    made = table(AoiHits, frame_row=[0] * count, track_id=[1] * count, target=targets, score=[0.9] * count)
    return shown, made


def looks(node: MeasureLooks, *story: tuple[float, str]) -> list[tuple[str, str, float, float]]:
    """Return kind, reason, end and when it was known of the visits to a target at some times; none for ""."""
    told = []
    for at_s, target in story:
        seen: Visits = node.process(*hits([target] if target else [], at_s))
        rows = zip(seen.kind, seen.reason, seen.end_ns.tolist(), seen.known_ns.tolist(), strict=True)
        told += [(kind, reason, end_ns / 1e9, known_ns / 1e9) for kind, reason, end_ns, known_ns in rows]
    return told


def times(since: int, until: int, target: str) -> list[tuple[float, str]]:
    return [(tenth / 10, target) for tenth in range(since, until)]


def test_a_visit_stays_open_when_every_live_value_changes_and_ends_by_the_new_ones() -> None:
    node: MeasureLooks = make_node(MeasureLooks, update_s=0.0)
    node.open()
    begun = looks(node, *times(0, 10, "tea"))
    values = {"min_look_s": 5.0, "min_visit_s": 0.5, "enter_score": 0.99, "keep_score": 0.5, "min_fixation_s": 9.0}

    changed(node, max_gap_s=2.0, **values)
    later = looks(node, *times(10, 15, "tea"), *times(15, 30, ""), *times(30, 31, "tea"), *times(31, 56, ""))

    assert [each[0] for each in begun] == ["started"]
    assert later == [("ended", "looked_away", pytest.approx(3.1), pytest.approx(5.2))]


def test_a_shorter_gap_ends_a_visit_whose_target_was_lost_before_it_changed() -> None:
    node: MeasureLooks = make_node(MeasureLooks, update_s=0.0, max_gap_s=3.0)
    node.open()
    looks(node, *times(0, 10, "tea"), *times(10, 20, ""))

    changed(node, max_gap_s=0.5)

    assert looks(node, (2.0, "")) == [("ended", "looked_away", 1.0, 2.0)]


def test_areas_count_from_the_frame_on_that_has_them_and_visits_to_others_go_on() -> None:
    targets, measure, sums = make_node(HitAoi, people=False), make_node(MeasureLooks, update_s=0.0), attention()
    for node in (targets, measure, sums):
        node.open()
    old, new = {"tea": TEA, "coffee": COFFEE}, {"coffee": COFFEE, "low": {"polygon": SHELF, "level": -1}}
    story: list[Any] = []
    for index in range(40):
        spots = [(0.2, 0.3), (0.6, 0.3)] if index < 10 else [(0.6, 0.3)]
        shown = with_aois(frames(pts_s=[index / 10], step_s=0.1), **(old if index < 10 else new))
        maps = gaze(*spots)
        points = make_node(resolve("locate_gaze")).process(maps)
        seen = measure.process(shown, targets.process(shown, maps, points, ALONE))
        story += zip(seen.kind, seen.target, seen.reason, strict=True)
        there = table(Tracks, frame_row=[0], track_id=[1], head_box=maps.head_box, observed=[True])
        assert not len(sums.process(shown, there, seen))  # a visit is open all the time
    seen = measure.stream_ended("shop")
    story += zip(seen.kind, seen.target, seen.reason, strict=True)
    figures = [*sums.process(shown.take([]), ALONE, seen).target, *sums.stream_ended("shop").target]

    assert story == [
        ("started", "coffee", ""), ("started", "tea", ""),
        ("ended", "tea", "looked_away"), ("ended", "coffee", "stream_ended"),
    ]  # fmt: skip
    assert {*figures} == {"", "coffee", "low", "tea"}  # an area nobody looks at, and one that is gone, too


def attention() -> MeasureAttention:
    node: MeasureAttention = make_node(MeasureAttention, window_s=3.0, settle_s=0.0)
    return node


# what is shown


def test_areas_are_drawn_as_they_are_in_each_frame() -> None:
    node: DrawOverlay = opened()

    images = [drawn(node, clip(areas=areas), Tracks.empty())[0] for areas in (AREAS, {"tea": AREAS["tea"]}, {})]

    wanted = [expected(areas=AREAS), expected(areas={"tea": AREAS["tea"]}), expected()]
    assert all((image == one).all() for image, one in zip(images, wanted, strict=True))


def test_a_head_that_was_lost_before_heads_were_to_be_hidden_is_hidden() -> None:
    node: DrawOverlay = opened(blur_heads=False, blur_hold_s=0.5)
    (plain,) = drawn(node, clip(), drawn_person())

    changed(node, blur_heads=True)
    (hidden,) = drawn(node, clip(start_s=0.2), Tracks.empty())

    assert blurred(plain, INNER) < 0.1
    assert blurred(hidden, INNER) > 0.6


# where it comes from


@pytest.mark.parametrize(("name", "cls"), [("log", WriteEvents), ("bus", PublishEvents)])
def test_events_name_the_configuration_that_made_them(name: str, cls: type[Node[Any]], tmp_path: Path) -> None:
    whole, values = retail(), {"endpoint": f"ipc://{tmp_path}/bus", "linger_s": 0}
    node = cls(
        whole.node(name).config.model_copy(update=values if cls is PublishEvents else {}),
        Context(name, FakeDevice(), tmp_path, tmp_path, whole, MODELS),  # type: ignore[arg-type]
    )
    node.open()
    one, known = RunningNode(whole.node(name), node), {"shop": Stream("shop", StreamConfig(url="shop.mp4"))}
    area = configured({"shop": StreamConfig(url="shop.mp4", aois={"tea": TEA})})
    marks = [(), (configured(nodes={"hits": {"min_score": 0.5}}),), (), (area,), (configured(nodes={"log": {}}),)]
    for index, mark in enumerate(marks):
        known = with_streams_of(known, changes_of(mark))
        shown = no_frames(*known.values())
        one.call(Tick(index, shown, mark, {"frames": Slot(shown), "looks": Slot(visits(index + 1, first=index))}))
    node.close()

    path = tmp_path / "shop/events.jsonl"
    events = (
        [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        if cls is WriteEvents
        else [json.loads(cloud_events.encode(cloud_events.decode(kept.message.data))) for kept in logged(tmp_path)]
    )
    made = [event["data"]["config"] for event in events]
    assert len(made) == 5
    assert [made.index(each) for each in made] == [0, 1, 1, 3, 3]
    assert {tuple(event["data"]["models"].values()) for event in events} == {("sha256:1", "sha256:2")}
