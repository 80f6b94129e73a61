"""What the groups clutter and lookalikes add to a furnished place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes.canvas import Canvas
from scenes.clutter import add_clutter
from scenes.figure import Figure
from scenes.place import Place
from scenes.style import Style


@dataclass(frozen=True)
class Dressing:
    """What can only be drawn once the people stand."""

    def finish(self, canvas: Canvas, figures: list[Figure]) -> None:
        """Draw it."""


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
    if style.clutter:
        add_clutter(place, np.random.default_rng([25 + stream, seed]))
    return Dressing()
