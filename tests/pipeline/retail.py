"""The retail graph on a rendered clip, with the models that ship, for tests of whole runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from nodes import resolve
from pipeline.config import load_config
from pipeline.device import Device, open_device
from pipeline.frames import Stream
from pipeline.graph import Graph, load_graph
from pipeline.runtime import Runtime
from scenes.clip import make_clip
from scenes.files import write_clip
from tests.repository import ROOT

SECONDS, FPS = 2.0, 12.5
PICTURES_OUT = ("overlay", "video", "bus")
"""Nodes that a run for its events can do without."""


def render(folder: Path) -> Path:
    """Render a clip of people in a shop."""
    clip = make_clip(5, seconds=SECONDS, fps=FPS, size_wh=(320, 192), place="shop", people=3)
    write_clip(clip, folder / "shop.mp4")
    return folder / "shop.mp4"


def retail(
    clip: Path,
    out: Path,
    *,
    without: Collection[str] = PICTURES_OUT,
    stage: Any = None,
    engine: Any = None,
    streams: Collection[str] = ("shop",),
    device: Device | None = None,
    **run: Any,
) -> Runtime:
    """Return a run of the retail graph.

    Args:
        clip: what to run on.
        out: where results go.
        without: nodes left out.
        stage: cut of all nodes, in place of that of the graph.
        engine: values of the `engine:` block.
        streams: what reads the clip, all in one graph; the areas are those of `shop`.
        device: where models run; None: on the CPU.
        run: options of the run.
    """
    sets = [f"engine.{name}={value}" for name, value in (engine or {}).items()]
    sets += [f"bus.endpoint=ipc://{out}/bus", "looks.min_look_s=0.15", "looks.max_gap_s=0.2", "looks.update_s=0.3"]
    sets += ["looks.enter_score=0.2", "looks.keep_score=0.1"]  # so that a short clip has events
    config = load_config(ROOT / "configs/retail.yaml", sets, {"shop": str(clip)})
    block = config.streams["shop"]
    graph = load_graph(ROOT / "graphs/retail.yaml", config, resolve, root=ROOT)
    nodes = tuple(replace(spec, stage=stage or spec.stage) for spec in graph.nodes if spec.name not in without)
    return Runtime(
        Graph(graph.path, nodes),
        [Stream(name, block) for name in streams],
        config.engine,
        device=device or open_device("cpu"),
        out_dir=out,
        root=ROOT,
        **run,
    )


def events(out: Path) -> bytes:
    """Return what a run wrote to its log."""
    return (out / "shop/events.jsonl").read_bytes()


def measures(out: Path) -> bytes:
    """Return what a run wrote of measures."""
    return (out / "shop/measures.jsonl").read_bytes()
