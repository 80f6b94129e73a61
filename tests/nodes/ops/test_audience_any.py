"""Whatever happens, and in whatever order it becomes known: the measures are those of how things stand in the end."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.ops.attention_measures import Figure
from nodes.ops.audience import Audience, Look, Rules, Taken
from nodes.ops.windows import Report
from tests.nodes.ops.attention_by_definition import Seen, measured, presence

MS = 10**6
S = 10**9


class Story:
    """Made-up frames, people, visits and repairs, as they become known, and how they stand in the end."""

    def __init__(self, seed: int, repair_s: float, longest_gap_s: float) -> None:
        chance = random.Random(seed)
        self.frames_ms: list[int] = []
        self.seen: list[list[int]] = []
        self.taken: list[list[Taken]] = []
        self.looks: list[list[Look]] = []
        self.samples: list[tuple[int, int, int]] = []
        self.filmed: list[tuple[int, int]] = []
        self.visits: dict[str, tuple[Seen, int | None]] = {}
        now, since = 10 * chance.randrange(300), dict.fromkeys(range(1, 4), 0)
        for index in range(chance.randrange(2, 60)):
            self.frames_ms.append(now)
            self.seen.append([track for track in since if since[track] > 3 or chance.random() < 0.7])
            since = {track: 0 if track in self.seen[-1] else count + 1 for track, count in since.items()}
            self.taken.append(self._repairs(chance, index, now, longest_gap_s))
            self.looks.append(self._looks(chance, index, now, repair_s))
            now += chance.choice([40, 100, 100, 250, 700, round(longest_gap_s * 1000) + 500 if index % 9 == 0 else 50])
        self._sample(len(self.frames_ms), now, longest_gap_s)

    def _sample(self, index: int, now: int, longest_gap_s: float) -> None:
        """Let the frame before last as long as it does."""
        if index < 1:
            return
        steps = [b - a for a, b in pairwise(self.frames_ms)]
        steps = [step for step in steps[: index - 1 + (index < len(self.frames_ms))] if step <= longest_gap_s * 1000]
        start = self.frames_ms[index - 1]
        self.filmed.append((start, start + steps[-1] if steps else start))
        if steps:
            self.samples += [(track, start, start + steps[-1]) for track in self.seen[index - 1]]

    def _repairs(self, chance: random.Random, index: int, now: int, longest_gap_s: float) -> list[Taken]:
        self._sample(index, now, longest_gap_s)
        if chance.random() > 0.1:
            return []
        recent = [frame for frame in self.frames_ms if frame > now - 1500]
        names = chance.sample([1, 2, 3], 2)
        pairs = [(names[0], names[1])] if chance.random() < 0.5 else [(names[0], names[1]), (names[1], names[0])]
        since = chance.choice(recent)
        owners = {taken_from: track for track, taken_from in pairs}
        self.samples = [
            piece
            for track, start, end in self.samples
            for piece in (
                [(owners[track], start, end)] if track in owners and start >= since else [(track, start, end)]
            )
        ]
        return [Taken(track, taken_from, since * MS) for track, taken_from in pairs]

    def _looks(self, chance: random.Random, index: int, now: int, repair_s: float) -> list[Look]:
        told = []
        for visit, (as_told, ended) in list(self.visits.items()):
            recent = ended is None or now - ended < (repair_s - 1) * 1000
            if ended is None and chance.random() < 0.3:
                told.append(self._tell(chance.choice(["updated", "ended"]), as_told, now))
            elif recent and chance.random() < 0.05:
                told.append(self._tell("retracted", as_told, now))
                told += self._anew(chance, visit, as_told, now, repair_s)
        if chance.random() < 0.4:
            start = chance.choice([frame for frame in self.frames_ms if frame > now - 1000])
            target = chance.choice(["tea", "tea", "cocoa", "person:*"])
            new = Seen(f"v{index}", chance.randrange(1, 4), target, start * MS, start * MS, 0, 0, 0)
            told.append(self._tell("started", new, now))
        return told

    def _anew(self, chance: random.Random, visit: str, old: Seen, now: int, repair_s: float) -> list[Look]:
        recent = old.start_ns > (now - (repair_s - 1) * 1000) * MS  # what is older cannot be found to be another's
        if recent and chance.random() < 0.3:
            return []
        track = chance.randrange(1, 4) if recent else old.track_id
        new = Seen(f"{visit}~", track, old.target, old.start_ns, old.end_ns, 0, 0, 0)
        return [self._tell(kind, new, now) for kind in chance.choice([["started"], ["started", "ended"]])]

    def _tell(self, kind: str, visit: Seen, now: int) -> Look:
        lasted = now * MS - visit.start_ns
        count = lasted // MS % 3
        times = visit.start_ns, now * MS, lasted // 2
        seen = Seen(visit.id, visit.track_id, visit.target, *times, count, lasted // 4 if count else 0)
        if kind == "retracted":
            del self.visits[visit.id]
        else:
            self.visits[visit.id] = seen, now if kind == "ended" else None
        return Look(
            seen.id, kind, seen.track_id, seen.target, seen.start_ns, seen.end_ns, now * MS, seen.dwell_ns,
            seen.fixations, seen.fixation_ns,
        )  # fmt: skip

    def expected(self, report: Report, min_presence_ns: int, longest_gap_ns: int) -> dict[tuple[str, str, str], float]:
        in_view = {
            track: found
            for track in (1, 2, 3)
            if (found := presence([(a * MS, b * MS) for who, a, b in self.samples if who == track], longest_gap_ns))
        }
        end_ns = report.end_ns + (report.span == "whole")  # the stream's end is in it
        still = 10**18
        visits = [
            Seen(**{**vars(seen), "end_ns": seen.end_ns if ended else still}) for seen, ended in self.visits.values()
        ]
        until_ns = max(min(b * MS, report.end_ns) for a, b in self.filmed if a * MS < end_ns)
        return measured((report.start_ns, end_ns), visits, in_view, min_presence_ns, until_ns)


def last_reports(
    story: Story, window_s: float, whole_s: float = 1000, settle_s: float = 0, repair_s: float = 5
) -> dict[tuple[str, int], Report]:
    """Return the last report of each window."""
    times = {"window": window_s, "whole": whole_s, "settle": settle_s, "min_presence": 0.9, "max_gap": 1}
    times["repair"] = repair_s
    audience = Audience(Rules(**{f"{name}_ns": round(seconds * S) for name, seconds in times.items()}), 1230 * MS)
    reports = []
    for now, seen, taken, looks in zip(story.frames_ms, story.seen, story.taken, story.looks, strict=True):
        reports += audience.frame(now * MS, seen, taken, looks, [])
    reports += audience.end()
    assert audience.late == []
    return {(report.span, report.start_ns): report for report in reports}


@settings(max_examples=60)
@given(
    st.integers(0, 10**9),
    st.sampled_from([1.0, 2.5, 7.0]),
    st.sampled_from([0.0, 0.7, 3.0]),
    st.sampled_from([20, 1000]),
)
def test_the_last_report_of_each_window_is_that_of_all_visits_and_all_presence(
    seed: int, window_s: float, settle_s: float, whole_s: float
) -> None:
    story = Story(seed, repair_s=5, longest_gap_s=1)

    last = last_reports(story, window_s, whole_s, settle_s)

    for report in last.values():
        got = {one[:3]: one.value for one in report.figures if one.value and one.measure != "covered_s.1"}
        assert got == pytest.approx(story.expected(report, 900 * MS, S))
    for span in ("window", "whole"):
        parts = [report for report in last.values() if report.span == span]
        assert sum(one.value for report in parts for one in report.figures if one[:2] == ("visits.1", "")) == len(
            story.visits
        )


SUMS = (
    "covered_s", "ots", "watchers", "attention_s", "presence_s", "visits", "revisits", "glances", "fixations",
    "first_looks", "transitions",
)  # fmt: skip


@settings(max_examples=40)
@given(st.integers(0, 10**9))
def test_what_is_counted_adds_up_over_windows_and_means_by_their_counts(seed: int) -> None:
    story = Story(seed, repair_s=5, longest_gap_s=1)

    halves, wholes = last_reports(story, 1.5), last_reports(story, 3)

    added: dict[tuple[str, ...], float] = defaultdict(float)
    expected: dict[tuple[str, ...], float] = defaultdict(float)
    for reports, sums in ((halves, added), (wholes, expected)):
        for (span, start_ns), report in reports.items():
            if span == "window":
                owner = str((start_ns + 1230 * MS) // (3 * S))
                values = {figure[:3]: figure.value for figure in report.figures}
                for (measure, target, to), value in values.items():
                    if measure.removesuffix(".1") in SUMS:
                        sums[owner, measure, target, to] += value
                for mean, count in (("visit_mean_s.1", "visits.1"), ("fixation_mean_s.1", "fixations.1")):
                    for target in {target for measure, target, _ in values if measure == mean}:
                        sums[owner, mean, target] += values[mean, target, ""] * values[count, target, ""]
    assert {key: value for key, value in added.items() if value} == pytest.approx(
        {key: value for key, value in expected.items() if value}
    )


@settings(max_examples=40)
@given(st.integers(0, 10**9))
def test_visits_that_were_taken_back_count_nowhere(seed: int) -> None:
    story, without = Story(seed, repair_s=5, longest_gap_s=1), Story(seed, repair_s=5, longest_gap_s=1)
    retracted = {look.visit for looks in story.looks for look in looks if look.kind == "retracted"}
    without.looks = [[look for look in looks if look.visit not in retracted] for looks in story.looks]

    with_them, without_them = last_reports(story, 2.5, repair_s=100), last_reports(without, 2.5, repair_s=100)

    def not_zero(report: Report) -> set[Figure]:
        return {figure for figure in report.figures if figure.value}

    assert {key: not_zero(report) for key, report in with_them.items()} == {
        key: not_zero(report) for key, report in without_them.items()
    }
