"""A graph that sees people in made-up frames and decides events as the one that ships does; also as a program.

What reads pictures is made up: two people look at the left and at the right of the picture in turn. Everything below
is the real thing. Addresses: `made://<seconds>` waits for its reader, `live://<seconds>` does not; both yield frames
for so long, ten a second.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from pydantic import Field

import cli.plan
import cli.replay_plan
import nodes
from nodes.types import GazeMaps, Tracks, Visits
from pipeline.cards import card_problems
from pipeline.frames import FrameBatch, Picture
from pipeline.node import Discontinuity, Frame, Node, NodeConfig, Source, SourceItem
from tests.helpers import table

STEP_NS = 100_000_000
TURN_NS = 1_500_000_000
"""How long everybody looks to one side."""

GRAPH = """\
# made-up people in front of two shelves
frames: {type: read_nothing}
people: {type: see_people,         in: {frames: frames}}
drawn:  {type: draw_nothing,       in: {frames: frames}}
gaze:   {type: see_gaze,           in: {frames: frames, tracks: people}}
points: {type: locate_gaze,        in: {gaze: gaze}}
hits:   {type: hit_aoi,            in: {frames: frames, gaze: gaze, points: points, tracks: people}}
looks:  {type: measure_looks,      in: {frames: frames, hits: hits}}
sums:   {type: measure_attention,  in: {frames: frames, tracks: people, looks: looks}}
video:  {type: write_nothing,      in: {frames: drawn}}
log:    {type: write_events,       in: {frames: frames, looks: looks, measures: sums}}
tell:   {type: tell_others,        in: {looks: looks}}
bus:    {type: publish_events,     in: {frames: frames, looks: looks, measures: sums}}
"""
AOIS = {"left": [[0, 0], [0.4, 0], [0.4, 1], [0, 1]], "right": [[0.6, 0], [1, 0], [1, 1], [0.6, 1]]}


class ReadNothing(Source[NodeConfig]):
    """Yield black frames."""

    @classmethod
    def is_live(cls, url: str) -> bool:
        return url.startswith("live")

    def frames(self) -> Iterator[SourceItem]:
        parts = urlsplit(self.stream.config.url)
        asked = parse_qs(parts.query)
        picture = Picture((np.zeros((36, 64, 3), np.uint8),), "bgr")
        for index in range(int(parts.hostname or 0) * 10):
            if "cut" in asked and index == int(asked["cut"][0]):
                yield Discontinuity()
            yield Frame(picture, index * STEP_NS)

    def process(self) -> FrameBatch:
        raise NotImplementedError


class SeePeople(Node[NodeConfig]):
    """See two people in each frame."""

    reads_pictures = True

    def process(self, frames: FrameBatch) -> Tracks:
        assert len(frames.pictures) == len(frames)
        boxes = [[0.45, 0.4, 0.5, 0.5], [0.5, 0.4, 0.55, 0.5]] * len(frames)
        return table(
            Tracks,
            frame_row=np.arange(len(frames)).repeat(2),
            track_id=[1, 2] * len(frames),
            head_box=np.array(boxes, np.float32).reshape(-1, 4),
            head_score=[0.9] * 2 * len(frames),
            observed=[True] * 2 * len(frames),
        )  # fmt: skip


class SeeGazeConfig(NodeConfig):
    model: str = Field(default="gaze-shop-480", json_schema_extra={"card": True})
    """The card that stands in events."""
    fails_s: tuple[float, float] = (0.0, 0.0)
    """When stream b fails."""

    def problems(self, root: Path) -> dict[str, list[str]]:
        return {"model": card_problems(self.model, root)}


class SeeGaze(Node[SeeGazeConfig]):
    """Everybody looks left, then right."""

    reads_pictures = True

    def process(self, frames: FrameBatch, tracks: Tracks) -> GazeMaps:
        since, until = self.config.fails_s
        for stream_id, pts_ns in zip(frames.stream_id, frames.pts_ns.tolist(), strict=True):
            if stream_id == "b" and since <= pts_ns / 1e9 < until:
                raise ValueError("nothing to be seen")
        maps = np.zeros((len(tracks), 8, 8), np.float32)
        for row, (frame_row, track_id) in enumerate(zip(tracks.frame_row, tracks.track_id, strict=True)):
            right = (frames.pts_ns[frame_row] // TURN_NS + track_id) % 2
            maps[row, 2:6, 6 if right else 1] = 1.0
        sure = np.full(len(tracks), 0.95, np.float32)
        asked_ns = frames.pts_ns[tracks.frame_row]
        return GazeMaps(tracks.frame_row, tracks.track_id, tracks.head_box, maps, sure, asked_ns)


class DrawConfig(NodeConfig):
    fails_s: tuple[float, float] = (0.0, 0.0)
    """When drawing fails."""


class DrawNothing(Node[DrawConfig]):
    """Hand the frames on."""

    reads_pictures = True

    def process(self, frames: FrameBatch) -> FrameBatch:
        assert len(frames.pictures) == len(frames)
        since, until = self.config.fails_s
        if any(since <= pts_ns / 1e9 < until for pts_ns in frames.pts_ns.tolist()):
            raise ValueError("nothing to draw on")
        return frames


class TellOthers(Node[NodeConfig]):
    """Reach out to others, and keep a file about it."""

    reaches_out = True

    def process(self, looks: Visits) -> None:
        for stream_id in looks.stream_id:
            self.context.output_path(stream_id, "a-told.txt").touch()


class WriteNothing(Node[NodeConfig]):
    """Take drawn frames."""

    reads_pictures = True
    sink_policy = "drop"

    def process(self, frames: FrameBatch) -> None:
        pass


MADE_UP: dict[str, Any] = {
    "read_nothing": ReadNothing,
    "see_people": SeePeople,
    "see_gaze": SeeGaze,
    "draw_nothing": DrawNothing,
    "tell_others": TellOthers,
    "write_nothing": WriteNothing,
}


def resolve(type_name: str) -> type[Node[Any]]:
    """Return a made-up stage, or one of those that ship."""
    return MADE_UP.get(type_name) or nodes.resolve(type_name)


def write_graph(folder: Path, graph: str = GRAPH, **streams: dict[str, Any]) -> None:
    """Write `graphs/two.yaml`, and its configuration with these streams."""
    import yaml

    (folder / "graphs").mkdir()
    (folder / "configs").mkdir()
    (folder / "graphs/two.yaml").write_text(graph, "utf-8")
    config = {
        "streams": {name: {"aois": AOIS, "when_full": "wait", **values} for name, values in streams.items()},
        "hits": {"people": False},
        "looks": {
            "min_look_s": 0.3,
            "max_gap_s": 0.5,
            "min_visit_s": 0.3,
            "update_s": 0.5,
            "enter_score": 0.2,
            "keep_score": 0.1,
        },
        "bus": {"endpoint": "ipc://bus"},
    }
    (folder / "configs/two.yaml").write_text(yaml.safe_dump(config), "utf-8")


if __name__ == "__main__":
    from cli.program import main

    cli.plan.resolve = cli.replay_plan.resolve = resolve
    sys.exit(main(sys.argv[1:]))
