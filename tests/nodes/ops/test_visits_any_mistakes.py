"""Whatever a tracker gets wrong: once it has corrected itself, the visits are those of one that had known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.told import Change
from nodes.ops.visits import VisitMachine
from tests.nodes.ops.visit_tables import MS, RULES


@dataclass
class Mistakes:
    """A tracker that names people wrongly, and corrects itself later, last mistake first."""

    labels: dict[int, int] = field(default_factory=lambda: {person: person for person in (1, 2, 3)})
    undo: list[tuple[int, dict[int, int]]] = field(default_factory=list)
    """Time of each mistake in ns, and the labels before it."""
    fresh: int = 10

    def lose(self, person: int, now_ns: int) -> None:
        self.undo.append((now_ns, dict(self.labels)))
        self.labels[person] = self.fresh
        self.fresh += 1

    def exchange(self, a: int, b: int, now_ns: int) -> None:
        self.undo.append((now_ns, dict(self.labels)))
        self.labels[a], self.labels[b] = self.labels[b], self.labels[a]

    def correct(self) -> list[tuple[int, int, int]]:
        since_ns, before = self.undo.pop()
        wrong = [(self.labels[person], since_ns, label) for person, label in before.items()]
        self.labels = before
        return [(taken, since, label) for taken, since, label in wrong if taken != label]


LOOKS = st.dictionaries(
    st.tuples(st.integers(1, 3), st.sampled_from(["tea", "person:1", "person:2"])),
    st.sampled_from([0.2, 0.4, 0.6, 0.9]),
    max_size=4,
)
ACTIONS = st.sampled_from(["", "", "", "", "lose 1", "lose 2", "exchange 1 2", "exchange 2 3", "correct", "correct"])
STEPS = st.one_of(st.integers(30, 140), st.integers(30, 140), st.integers(30, 140), st.just(700))
STREAM = st.lists(st.tuples(STEPS, st.integers(1, 4), LOOKS, ACTIONS), max_size=14)


def unfolded(stream: list[tuple[int, int, dict[tuple[int, str], float], str]]) -> Iterable[tuple[int, dict, str]]:
    """Return frames as (step in ms, looks, action): looks last some frames, so that there are visits."""
    for step_ms, times, looks, action in stream:
        yield step_ms, looks, action
        for _ in range(times - 1):
            yield step_ms if step_ms < 500 else 100, looks, ""


def surviving(changes: Iterable[Change]) -> list[tuple]:
    """Return the visits that ended and were not taken back, without what depends on when they were told."""
    ended = {}
    for change in changes:
        if change.kind == "ended":
            ended[change.visit] = change
        elif change.kind == "retracted":
            ended.pop(change.visit, None)
    return sorted(
        (c.track_id, c.target, c.start_ns, c.end_ns, c.dwell_ns, c.fixations, c.fixation_ns, c.score)
        for c in ended.values()
    )


@given(
    STREAM,
    st.sampled_from([0, 200]),
    st.sampled_from([100, 200]),
    st.sampled_from([300, 500]),
    st.sampled_from([0, 150]),
    st.sampled_from([1200, 10**6]),
)
def test_what_survives_is_what_would_have_been_told_had_the_tracker_known(
    stream: list[tuple[int, int, dict[tuple[int, str], float], str]],
    gap_ms: int,
    min_look_ms: int,
    min_visit_ms: int,
    update_ms: int,
    repair_ms: int,
) -> None:
    """All mistakes are corrected within `repair_ms`; what is older may be forgotten."""
    rules = replace(
        RULES,
        max_gap_ns=(150 + gap_ms) * MS,
        min_look_ns=min_look_ms * MS,
        min_visit_ns=min_visit_ms * MS,
        update_ns=update_ms * MS,
    )
    true, told = VisitMachine(0), VisitMachine(repair_ms * MS)
    expected: list[Change] = []
    changes: list[Change] = []
    tracker, now_ns = Mistakes(), 0

    def feed(step_ms: int, looks: dict[tuple[int, str], float], action: str) -> None:
        nonlocal now_ns
        now_ns += step_ms * MS
        corrections = tracker.correct() if action == "correct" and tracker.undo else []
        what, *who = action.split()[:1] + [int(word) for word in action.split()[1:]] or [""]
        if what in ("lose", "exchange"):
            getattr(tracker, what)(*who, now_ns)
        looks = {(p, t): score for (p, t), score in looks.items() if t != f"person:{p}"}
        expected.extend(true.frame(now_ns, list(looks.items()), rules))
        named = [((tracker.labels[p], _named(t, tracker.labels)), score) for (p, t), score in looks.items()]
        changes.extend(told.frame(now_ns, named, rules, corrections))

    for frame in unfolded(stream):
        while tracker.undo and now_ns - tracker.undo[0][0] > (repair_ms - frame[0] - 10 * len(tracker.undo)) * MS:
            feed(10, {}, "correct")
        feed(*frame)
    while tracker.undo:
        feed(10, {}, "correct")
    expected += true.end("stream_ended")
    changes += told.end("stream_ended")

    assert surviving(changes) == surviving(expected)
    _check_story(changes)


def _named(target: str, labels: dict[int, int]) -> str:
    return f"person:{labels[int(target[7:])]}" if target.startswith("person:") else target


def _check_story(changes: list[Change]) -> None:
    """Each visit is told in order, once; what replaces others comes after they were taken back."""
    assert [change.known_ns for change in changes] == sorted(change.known_ns for change in changes)
    state: dict[str, str] = {}
    for change in changes:
        before = state.get(change.visit, "")
        if change.kind == "started":
            assert before == ""
        elif change.kind == "retracted":
            assert before in (
                ("started", "updated", "ended") if change.reason == "identity" else ("started", "updated")
            )
        else:
            assert before in ("started", "updated")
        state[change.visit] = change.kind
        assert all(state[other] == "retracted" for other in change.replaces)
        assert len(set(change.replaces)) == len(change.replaces)
        assert change.visit.split("~")[0] == f"{change.track_id}/{change.target}/{change.start_ns}"
    assert set(state.values()) <= {"ended", "retracted"}
