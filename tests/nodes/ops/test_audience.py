from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nodes.ops.audience import Audience, Look, Rules, Taken
from nodes.ops.windows import Report

S = 10**9


def rules(**given: float) -> Rules:
    """Return rules from seconds."""
    values = {"window": 10, "whole": 1000, "settle": 0, "min_presence": 1, "max_gap": 1, "repair": 30, **given}
    return Rules(**{f"{name}_ns": round(seconds * S) for name, seconds in values.items()})


def look(kind: str, start_s: float, end_s: float, visit: str = "v", known_s: float | None = None, **given: Any) -> Look:
    times = {"start_ns": start_s, "end_ns": end_s, "known_ns": end_s if known_s is None else known_s}
    row = {"visit": visit, "kind": kind, "track_id": 1, "target": "tea", "fixations": 1, **given}
    row |= {"dwell_ns": round((end_s - start_s) * S), "fixation_ns": round((end_s - start_s) * S)}
    return Look(**row, **{name: round(seconds * S) for name, seconds in times.items()})


def run(
    audience: Audience,
    seconds: Iterable[float],
    seen: Any = (),
    taken: dict[float, list[Taken]] | None = None,
    looks: dict[float, list[Look]] | None = None,
) -> list[Report]:
    """Show frames at these seconds, in each of which the tracks `seen` are, and return the reports."""
    reports = []
    for at_s in seconds:
        here = seen(at_s) if callable(seen) else seen
        told = (looks or {}).get(at_s, [])
        reports += audience.frame(round(at_s * S), here, (taken or {}).get(at_s, []), told, ["tea"])
    return reports


def figure(report: Report, measure: str, target: str = "", to: str = "") -> float | None:
    found = [one.value for one in report.figures if (one.measure, one.target, one.to) == (measure, target, to)]
    return found[0] if found else None


def spans(reports: Iterable[Report]) -> list[str]:
    return [
        f"{one.span} {one.start_ns / S:g}-{one.end_ns / S:g} r{one.revision} @{one.known_ns / S:g}" for one in reports
    ]


def test_a_window_is_reported_once_it_is_over_and_settled() -> None:
    audience = Audience(rules(settle=2), 0)

    reports = run(audience, range(25))

    assert spans(reports) == ["window 0-10 r0 @12", "window 10-20 r0 @22"]
    assert spans(audience.end()) == ["window 20-30 r0 @25", "whole 0-25 r0 @25"]


def test_a_window_waits_for_the_end_of_its_visits_and_later_windows_do_not_wait_for_it() -> None:
    audience = Audience(rules(), 0)

    reports = run(audience, range(25), looks={9: [look("started", 8, 9)], 22: [look("ended", 8, 21, known_s=22)]})

    assert spans(reports) == ["window 10-20 r0 @20", "window 0-10 r0 @22"]
    assert [figure(report, "attention_s.1", "tea") for report in reports] == [0, 13]
    assert [figure(report, "looking_now.1", "tea") for report in reports] == [1, 1]


def test_a_visit_taken_back_changes_what_was_reported() -> None:
    audience = Audience(rules(), 0)
    looks = {5: [look("started", 4, 5)], 7: [look("ended", 4, 6, known_s=7)], 14: [look("retracted", 4, 6)]}

    reports = run(audience, range(16), looks=looks)

    assert spans(reports) == ["window 0-10 r0 @10", "window 0-10 r1 @14"]
    assert [figure(report, "visits.1", "tea") for report in reports] == [1, 0]


def test_a_visit_told_anew_is_waited_for_before_the_window_is_reported_again() -> None:
    audience = Audience(rules(), 0)
    looks = {
        5: [look("started", 4, 5)],
        12: [look("retracted", 4, 6), look("started", 4, 5, "v~1", track_id=2)],
        14: [look("ended", 4, 9, "v~1", known_s=14, track_id=2)],
    }

    reports = run(audience, range(16), looks=looks)

    assert spans(reports) == ["window 0-10 r0 @14"]
    assert figure(reports[0], "attention_s.1", "tea") == 5


def test_what_changes_no_figure_is_not_reported_again() -> None:
    audience = Audience(rules(), 0)
    looks = {7: [look("ended", 4, 6)], 14: [look("retracted", 4, 6), look("ended", 4, 6, "v~1")]}

    assert spans(run(audience, range(16), looks=looks)) == ["window 0-10 r0 @10"]


def test_a_visit_that_becomes_known_after_its_window_was_reported_revises_it() -> None:
    audience = Audience(rules(), 0)
    looks = {11: [look("started", 9, 11)], 13: [look("ended", 9, 12, known_s=13)]}

    assert spans(run(audience, range(15), looks=looks)) == ["window 0-10 r0 @10", "window 0-10 r1 @13"]


def test_a_gap_in_sight_that_turns_out_short_revises_the_window_that_it_began_in() -> None:
    audience = Audience(rules(max_gap=3, min_presence=10), 0)

    reports = run(audience, range(15), seen=lambda at_s: [] if at_s in (8, 9, 10) else [1])

    assert spans(reports) == ["window 0-10 r0 @10", "window 0-10 r1 @12"]
    assert [figure(report, "ots.1") for report in reports] == [0, 1]


def test_who_looks_where_the_film_of_a_window_ends_looks_now() -> None:
    audience = Audience(rules(max_gap=2), 0)
    looks = {14: [look("ended", 3, 6, known_s=14)], 16: [look("started", 15, 16, "w", track_id=2)]}

    reports = run(audience, [*range(6), 14, 15, 16], looks=looks)  # nothing is known of 6 to 14 s
    reports += audience.end()

    assert spans(reports) == ["window 0-10 r0 @14", "window 10-20 r0 @17", "whole 0-17 r0 @17"]
    assert [figure(report, "looking_now.1") for report in reports] == [1, 1, 1]


def test_windows_begin_at_full_multiples_on_the_wall_clock() -> None:
    audience = Audience(rules(), 1_700_000_003 * S)  # 3 s into a window

    assert spans(run(audience, range(20))) == ["window -3-7 r0 @7", "window 7-17 r0 @17"]


def test_windows_without_frames_are_not_reported() -> None:
    audience = Audience(rules(max_gap=2), 0)

    reports = run(audience, [0, 1, 35, 36]) + audience.end()

    assert spans(reports) == ["window 0-10 r0 @35", "window 30-40 r0 @37", "whole 0-37 r0 @37"]
    assert [figure(report, "covered_s.1") for report in reports] == [2, 2, 4]


def test_without_windows_the_whole_stream_is_reported() -> None:
    audience = Audience(rules(window=0), 0)

    assert run(audience, range(5, 40)) == []
    assert spans(audience.end()) == ["whole 5-40 r0 @40"]


def test_a_stream_that_is_very_long_is_reported_in_parts() -> None:
    audience = Audience(rules(window=0, whole=20), 0)

    reports = run(audience, range(5, 50)) + audience.end()

    assert spans(reports) == ["whole 5-25 r0 @25", "whole 25-45 r0 @45", "whole 45-50 r0 @50"]


def test_a_stream_of_one_frame_is_reported() -> None:
    audience = Audience(rules(min_presence=0), 0)

    reports = run(audience, [3], seen=[1], looks={3: [look("ended", 3, 3)]}) + audience.end()

    assert spans(reports) == ["window 0-10 r0 @3", "whole 3-3 r0 @3"]
    assert [figure(report, "visits.1", "tea") for report in reports] == [1, 1]


def test_nothing_comes_of_a_stream_without_frames() -> None:
    audience = Audience(rules(), 0)
    audience.tell([look("ended", 3, 4)])

    assert audience.end() == []


def test_a_frame_told_again_adds_nothing() -> None:
    once, twice = Audience(rules(), 0), Audience(rules(), 0)

    run(once, [0, 1, 2, 3], seen=[1])
    run(twice, [0, 1, 2, 2, 1, 3], seen=[1])

    assert once.end() == twice.end()


def test_presence_goes_to_whose_it_was() -> None:
    audience = Audience(rules(min_presence=4), 0)
    visits = {7: [look("ended", 0.5, 1, known_s=7), look("ended", 4, 5, "w", known_s=7, track_id=2)]}

    run(audience, range(8), seen=lambda at_s: [1] if at_s < 2 else [2], taken={5: [Taken(3, 2, 3 * S)]}, looks=visits)
    (report, _) = audience.end()

    # 1 in view 0-2 s, 2 in view 2-3 and 5-8 s, 3 in view 3-5 s
    assert figure(report, "presence_s.1", "tea") == 2 + 4
    assert figure(report, "first_look_mean_s.1", "tea") == (0.5 + 2) / 2


def test_two_people_who_were_mixed_up_swap_their_presence() -> None:
    audience = Audience(rules(), 0)
    swap = [Taken(1, 2, 2 * S), Taken(2, 1, 2 * S)]
    visits = {6: [look("ended", 4, 5, known_s=6)]}

    run(audience, range(7), seen=lambda at_s: [1, 2] if at_s < 3 else [2], taken={5: swap}, looks=visits)
    (report, _) = audience.end()

    assert figure(report, "presence_s.1", "tea") == 2 + 3


def test_of_two_repairs_of_a_track_the_later_one_holds_from_its_moment_on() -> None:
    audience = Audience(rules(), 0)
    split = [Taken(2, 1, 2 * S), Taken(3, 1, 3 * S)]
    visits = {5: [look("ended", 2, 3, known_s=5, track_id=2), look("ended", 3, 4, "w", known_s=5, track_id=3)]}

    run(audience, range(6), seen=[1], taken={5: split}, looks=visits)
    (report, _) = audience.end()

    assert figure(report, "presence_s.1", "tea") == 1 + 2


def test_what_comes_too_late_is_told_apart() -> None:
    audience = Audience(rules(repair=5), 0)
    looks = {1: [look("ended", 0, 1)], 40: [look("retracted", 0, 1), look("ended", 2, 3, "w")]}

    reports = run(audience, range(42), seen=[1], looks=looks, taken={41: [Taken(2, 1, 20 * S)]})

    assert audience.late == ["v", "w", "track 1 becoming 2"]
    assert [one for one in spans(reports) if " r1 " in one] == ["window 30-40 r1 @41"]  # 20-30 stays as it was


def test_memory_does_not_grow_with_time() -> None:
    audience = Audience(rules(whole=50), 0)
    sizes = []
    for second in range(1000):
        track = 1 + second // 3
        visit = look("ended", second - 1, second, f"v{second}", track_id=track, target=f"person:{second}")
        audience.frame(second * S, [track], [], [visit] if second % 3 else [], [])
        sizes.append(len(audience._people) + len(audience._track_of) + len(audience._windows._held))

    assert max(sizes[500:]) <= max(sizes[:200])
