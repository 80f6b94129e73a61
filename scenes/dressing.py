"""What the groups clutter, lookalikes and tableware add to a furnished place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes.canvas import Canvas
from scenes.clutter import add_clutter
from scenes.lookalikes import add_lookalikes
from scenes.place import Place
from scenes.reflections import Pane, draw_pane, mirror_floor
from scenes.style import Style
from scenes.tableware import add_tableware

_PANED_SHARE, _SHINY_SHARE = 0.3, 0.35


@dataclass(frozen=True)
class Dressing:
    """What can only be drawn once the people stand."""

    shine: float = 0.0
    """How much the floor mirrors, 0: not at all."""
    panes: tuple[Pane, ...] = ()

    def finish(self, canvas: Canvas) -> None:
        """Draw it; what belongs to whom and how far away it is stays as it is."""
        if self.shine:
            mirror_floor(canvas, self.shine)
        for pane in self.panes:
            draw_pane(canvas, pane)


UNDRESSED = Dressing()
"""Nothing."""


def dress(place: Place, seed: int, style: Style, stream: int = 0) -> Dressing:
    """Add to a place what a style asks for.

    Args:
        place: as furnished; drawn on.
        seed: of the scene.
        style: what it may show.
        stream: 0 for stills, 100 for clips.
    """
    panes: tuple[Pane, ...] = ()
    shine = 0.0
    if style.clutter:
        rng = np.random.default_rng([25 + stream, seed])
        add_clutter(place, rng)
        panes = _panes(place, rng)
    if style.lookalikes:
        rng = np.random.default_rng([26 + stream, seed])
        add_lookalikes(place, rng)
        shine = rng.uniform(0.3, 1.0) if rng.random() < _SHINY_SHARE else 0.0
    if style.tableware:
        add_tableware(place, np.random.default_rng([45 + stream, seed]))
    return Dressing(shine, panes)


def _panes(place: Place, rng: np.random.Generator) -> tuple[Pane, ...]:
    """Return panes that stand on counters and tables, in some places."""
    if rng.random() > _PANED_SHARE:
        return ()
    panes = []
    for block in place.blocks:
        if 0.6 < block.height < 1.25 and block.half_x > 0.3 and rng.random() < 0.6:
            half, deep = block.half_x * rng.uniform(0.3, 1.0), rng.uniform(-1, 1) * block.half_z
            high = block.height + rng.uniform(0.5, 0.9)
            spots = ((-half, high), (half, high), (half, block.height), (-half, block.height))
            corners = np.stack([block.point(along, deep, up) for along, up in spots])
            panes.append(Pane(corners, rng.uniform(0.04, 0.16), rng.uniform(0.0, 0.15)))
    return tuple(panes)
