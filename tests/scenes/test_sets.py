import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from scenes import VERSION, sets
from scenes.sets import BENCH_1, BENCH_2, NamedSet, fingerprint, named_set, seed_set, statistics
from scenes.style import FULL, PLAIN, Style
from scenes.truth import PeopleTruth, no_people

HERE = Path(__file__).parent
FRAMES = {"bench-1": ((0, 40), (6, 75)), "bench-2": ((0, 40), (7, 75))}
"""Clip and frame of each set whose pixels and truth are kept."""


@pytest.mark.parametrize("name", FRAMES)
def test_a_published_set_has_not_changed(name: str) -> None:
    """Truth to a millionth and pixels to two grey levels, on any machine: see `render_golden` to look at them."""
    golden = np.load(HERE / f"{name.replace('-', '_')}.npz")

    pictures, truth = render_golden(named_set(name), FRAMES[name])

    assert fingerprint(truth) == str(golden["fingerprint"])
    assert np.abs(pictures.astype(int) - golden["pictures"]).max() <= 2


def render_golden(chosen: NamedSet, wanted: tuple[tuple[int, int], ...]) -> tuple[np.ndarray, list[PeopleTruth]]:
    """Return some frames of a set, shrunken, and their truth. To publish another set: np.savez_compressed them."""
    frames = [chosen.clip(chosen.seeds[number]).frame(frame) for number, frame in wanted]
    shrunken = [cv2.resize(frame.bgr, (96, 58), interpolation=cv2.INTER_AREA) for frame in frames]
    return np.stack(shrunken), [frame.people for frame in frames]


def test_published_statistics_keep_what_the_set_promises() -> None:
    published = BENCH_1.statistics

    assert 30 <= published["head_px_p50"] <= 36
    assert published["heads_under_24px"] >= 0.25
    assert published["heads_from_behind"] >= 0.25
    assert published["targets_on_surface"] >= 0.30
    assert published["frames"] == len(BENCH_1.seeds) * BENCH_1.seconds * BENCH_1.fps


def test_published_statistics_of_bench_2_keep_what_the_set_promises() -> None:
    published = BENCH_2.statistics

    assert 26 <= published["head_px_p50"] <= 40
    assert published["targets_on_surface"] < BENCH_1.statistics["targets_on_surface"]
    assert published["targets_in_frame"] > 0.9
    assert published["frames"] == len(BENCH_2.seeds) * BENCH_2.seconds * BENCH_2.fps


def test_bench_1_is_what_it_was_named() -> None:
    assert named_set("bench-1") is BENCH_1
    assert BENCH_1.seeds == tuple(range(9_000_022, 9_000_034))
    assert BENCH_1.version == VERSION == "1"


def test_bench_2_shows_everything() -> None:
    assert named_set("bench-2") is BENCH_2
    assert BENCH_2.seeds == tuple(range(9_000_100, 9_000_112))
    assert BENCH_2.style == FULL
    assert not set(BENCH_1.seeds) & set(BENCH_2.seeds)


def test_clips_of_a_set_have_its_style() -> None:
    chosen = replace(seed_set("505", seconds=0.5, size_wh=(160, 96)), style=Style.parse("salience"))

    (clip,) = chosen.clips()

    assert [aoi.name for aoi in clip.aois] == [aoi.name for aoi in chosen.clip(505).aois]
    assert [aoi.name for aoi in clip.aois] != [aoi.name for aoi in replace(chosen, style=PLAIN).clip(505).aois]


def test_statistics_of_a_frame_by_hand() -> None:
    people = no_people()
    frame = type(people)(
        **{
            **vars(people),
            "person_id": np.arange(4),
            "head_box": np.array([[0, 0, 1, h] for h in (0.1, 0.05, 0.2, 0.9)]),
            "head_visible": np.array([1.0, 0.5, 0.3, 0.1]),
            "direction": np.array([0, 4, 3, 4]),
            "target_kind": np.array([1, 0, 1, 1]),
            "in_frame": np.array([True, False, True, False]),
            "looked_at": ("", "", "", ""),
        }
    )

    assert statistics([frame], (480, 300)) == {
        "frames": 1,
        "heads": 3,
        "head_px_p50": 30,
        "heads_under_24px": 0.3333,
        "heads_from_behind": 0.6667,
        "targets_on_surface": 0.6667,
        "targets_in_frame": 0.6667,
    }
    assert statistics([no_people()], (480, 300)) == {"frames": 1, "heads": 0}


def test_seeds_as_text() -> None:
    assert seed_set("9001-9003").seeds == (9001, 9002, 9003)
    assert seed_set("7, 9,12-13").seeds == (7, 9, 12, 13)
    for wrong in ("", "9003-9001", "a", "1,,2", "-3", "full:"):
        message = f"scenes: expected seeds such as '9001-9010', '7,9' or 'full:7,9', got {wrong!r}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            seed_set(wrong)


def test_seeds_may_have_a_style() -> None:
    assert seed_set("7").style == PLAIN
    assert (seed_set("full-lens:7,9").style, seed_set("full-lens:7,9").seeds) == (Style.parse("full-lens"), (7, 9))
    with pytest.raises(ValueError, match="fancy"):
        seed_set("fancy:7")


def test_unknown_sets_and_other_versions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"^scenes: expected a set among bench-1, bench-2, got 'bench-3'$"):
        named_set("bench-3")
    monkeypatch.setattr(sets, "VERSION", "2")
    message = (
        "scenes: set 'bench-1' was published with version '1' of the scenes, this is '2';"
        " check out the commit that published it"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        named_set("bench-1")


def test_the_fingerprint_sees_a_millionth_but_no_less() -> None:
    people = no_people()
    one, same, other = (
        type(people)(**{**vars(people), "head_visible": np.array([value])}) for value in (0.5, 0.5 + 1e-9, 0.5 + 2e-6)
    )

    assert fingerprint([one]) == fingerprint([same]) != fingerprint([other])
