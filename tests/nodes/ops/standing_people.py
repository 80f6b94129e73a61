"""People who stood still for a while, and who is found then: in a square frame, 0.3 of it high and 0.1 wide."""

from __future__ import annotations

import numpy as np

from nodes.ops import matching
from nodes.ops.boxes import to_anchored
from nodes.ops.matching import Found, Rules
from nodes.ops.motion import BODY, HEAD, Pace
from nodes.ops.roster import Roster

PACE = Pace(speed=0.8, persistence_s=1.5)
RULES = Rules(high_score=0.6, min_likeness=0.2, min_likeness_weak=0.4, min_resemblance=0.6, solver="scipy")
STEP_NS = 40_000_000
WIDTH, HEIGHT = 0.1, 0.3

Place = tuple[float, float]


def boxes(places: list[Place], parts: str | list[str] = "both") -> np.ndarray:
    """Return head and body (N, 2, 4) of people by middle line and crown; `parts` says which are seen."""
    made = np.array(
        [[[x - 0.015, y, x + 0.015, y + 0.04], [x - WIDTH / 2, y, x + WIDTH / 2, y + HEIGHT]] for x, y in places]
    ).reshape(-1, 2, 4)
    each = [parts] * len(places) if isinstance(parts, str) else parts
    for row, part in enumerate(each):
        if part in ("head", "body"):
            made[row, BODY if part == "head" else HEAD] = np.nan
    return made


def found(
    places: list[Place],
    scores: list[float] | float = 0.9,
    parts: str | list[str] = "both",
    looks: list[list[float]] | None = None,
) -> Found:
    head_body = boxes(places, parts)
    described = np.zeros((len(places), 0)) if looks is None else np.array(looks)
    score = np.broadcast_to(np.asarray(scores, np.float64), (len(places),))
    return Found.of(head_body[:, HEAD], head_body[:, BODY], score, described, 1.0)


def watched(
    places: list[Place],
    *,
    lost: list[float] | float = 0.0,
    parts: str = "body",
    looks: list[list[float]] | None = None,
    confirmed: bool = True,
) -> Roster:
    """Return people who stood still for a second, each out of sight for `lost` seconds, moved on to the next frame."""
    out_of_sight = np.broadcast_to(np.asarray(lost, np.float64), (len(places),))
    roster, head_body = Roster(), boxes(places, parts)
    seen, described = ~np.isnan(head_body[..., 0]), np.zeros((len(places), 0)) if looks is None else np.array(looks)
    count = 25 + round(max(out_of_sight, default=0) * 25)
    for index in range(count):
        roster.advance(index * STEP_NS, 10.0, PACE)
        if index:
            here = index < count - np.round(out_of_sight * 25)
            look = described * here[:, None] if looks else None
            roster.see(to_anchored(head_body), seen & here[:, None], look, PACE)
        else:
            roster.add(to_anchored(head_body), seen, described, PACE)
        if confirmed:
            roster.confirm(roster.due(0.0))
    roster.advance(count * STEP_NS, 10.0, PACE)
    return roster


def match(roster: Roster, seen: Found, rules: Rules = RULES) -> np.ndarray:
    """Return who is matched with what: (N, 2), -1 unseen."""
    return matching.match(roster, seen, rules)[0]


def bodies(pairs: np.ndarray) -> list[int]:
    """Return with whose bodies people are matched."""
    return pairs[:, BODY].tolist()
