"""Who was who: what a tracker says when it corrects itself, applied to what was known before."""

from __future__ import annotations

from collections.abc import Iterable

PERSON = "person:"


class Renaming:
    """The corrections of one frame, all of which hold at once.

    A correction (a, s, b) says that what was known of track a from s until now is of track b. Where several take from
    one track, the latest s that is not after a moment counts at that moment.
    """

    def __init__(self, corrections: Iterable[tuple[int, int, int]]) -> None:
        """Take (taken from, since in ns, track id)."""
        self._owners: dict[int, list[tuple[int, int]]] = {}
        for taken_from, since_ns, track_id in sorted(corrections):
            self._owners.setdefault(taken_from, []).insert(0, (since_ns, track_id))  # latest first
        self._people = {f"{PERSON}{track_id}": track_id for track_id in self._owners}
        self.since_ns = min((owners[-1][0] for owners in self._owners.values()), default=0)

    def concerns(self, track_id: int, target: str) -> bool:
        """Tell whether looks of a track at a target may have to be renamed."""
        return track_id in self._owners or target in self._people

    def of(self, track_id: int, target: str, pts_ns: int) -> tuple[int, str] | None:
        """Return whose look at what it was at that time; None where somebody would look at themselves."""
        track_id = self._owner(track_id, pts_ns)
        if target in self._people:
            target = f"{PERSON}{self._owner(self._people[target], pts_ns)}"
        return None if target == f"{PERSON}{track_id}" else (track_id, target)

    def _owner(self, track_id: int, pts_ns: int) -> int:
        owners = self._owners.get(track_id, ())
        return next((owner for since_ns, owner in owners if since_ns <= pts_ns), track_id)
