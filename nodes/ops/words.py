"""What is written of a person behind the number: attributes, and the distance."""

from __future__ import annotations

from collections.abc import Mapping

SURE = 0.6
"""Attributes that are less probable are not written."""


def words_of(
    probabilities: Mapping[str, Mapping[int, float]], distances_m: Mapping[int, float]
) -> dict[int, list[str]]:
    """Return by track what is written, in the order of the probabilities, the distance last.

    Args:
        probabilities: of each word by track, NaN where nothing is known. `child/adult` is two words: the second is
            written where the first is improbable.
        distances_m: metres by track.
    """
    words: dict[int, list[str]] = {}
    for names, by_track in probabilities.items():
        likely, _, unlikely = names.partition("/")
        for track_id, prob in by_track.items():
            if prob >= SURE:  # never so for NaN
                words.setdefault(track_id, []).append(likely)
            elif unlikely and prob <= 1 - SURE:
                words.setdefault(track_id, []).append(unlikely)
    for track_id, distance_m in distances_m.items():
        words.setdefault(track_id, []).append(f"{distance_m:.1f} m")
    return words
