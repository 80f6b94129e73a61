"""Count every frame at every node and of every stream, so that at the end in = out + dropped, or it is an error."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Account:
    """Frames of one node or stream: what came in, went out, and was dropped, by cause."""

    came: int = 0
    went: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def in_flight(self) -> int:
        """Return frames that came and neither went nor were dropped."""
        return self.came - self.went - sum(self.dropped.values())

    def add(self, other: Account) -> None:
        """Take up what another account counted."""
        self.came += other.came
        self.went += other.went
        self.dropped.update(other.dropped)

    def to_dict(self) -> dict[str, Any]:
        """Return the account as plain data."""
        return {
            "in": self.came,
            "out": self.went,
            "dropped": {cause: count for cause, count in sorted(self.dropped.items()) if count},
            "in_flight": self.in_flight(),
        }


class Ledger:
    """Accounts by node, and accounts by stream over the whole graph. Safe to use from every thread.

    A frame comes to a node and goes on or is dropped there. For its stream it comes once, when it is read, and goes
    once, when it has been through the graph. Streams that are gone are kept as one sum, however many there were.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: defaultdict[str, Account] = defaultdict(Account)
        self._streams: dict[str, Account] = {}
        self._removed = Account()

    # of nodes

    def came(self, node: str, frames: int = 1) -> None:
        """Note that frames reached a node."""
        with self._lock:
            self._accounts[node].came += frames

    def went(self, node: str, frames: int = 1) -> None:
        """Note that frames left a node, processed."""
        with self._lock:
            self._accounts[node].went += frames

    def dropped(self, node: str, cause: str, frames: int = 1) -> None:
        """Note that frames that reached a node were dropped there."""
        with self._lock:
            self._accounts[node].dropped[cause] += frames

    # of streams

    def open(self, stream_id: str) -> None:
        """Begin the account of a stream; without one its frames count among those of streams that are gone."""
        with self._lock:
            self._streams.setdefault(stream_id, Account())

    def forget(self, stream_id: str) -> None:
        """End the account of a stream that was removed; what it counted is kept in the sum of those."""
        with self._lock:
            self._removed.add(self._streams.pop(stream_id, Account()))

    def read(self, node: str, stream_id: str, frames: int = 1) -> None:
        """Note that frames of a stream were read by the source node."""
        with self._lock:
            self._accounts[node].came += frames
            self._of(stream_id).came += frames

    def refused(self, node: str, stream_id: str, cause: str, frames: int = 1) -> None:
        """Note that frames of a stream were dropped in the source node."""
        with self._lock:
            self._accounts[node].dropped[cause] += frames
            self._of(stream_id).dropped[cause] += frames

    def lost(self, before: Sequence[str], after: Sequence[str], cause: str) -> None:
        """Note that a tick lost frames at some node.

        Args:
            before: stream of each of its frames.
            after: the same of those that are left.
            cause: why.
        """
        with self._lock:
            for stream_id, frames in (Counter(before) - Counter(after)).items():
                self._of(stream_id).dropped[cause] += frames

    def left(self, stream_ids: Iterable[str]) -> None:
        """Note that frames went through the whole graph; one stream for each."""
        with self._lock:
            for stream_id in stream_ids:
                self._of(stream_id).went += 1

    def _of(self, stream_id: str) -> Account:
        return self._streams.get(stream_id, self._removed)

    # at the end

    def settle(self, hand_overs: Iterable[tuple[str, str]], cause: str) -> None:
        """After a failure, note as dropped what is still at a node, and what left one and never came to the next.

        Args:
            hand_overs: pairs of nodes: all frames that leave the first should come to the second.
            cause: why they were dropped.
        """
        with self._lock:
            for first, second in hand_overs:
                account = self._accounts[second]
                account.came += max(self._accounts[first].went - account.came, 0)
            for account in [*self._accounts.values(), *self._streams.values(), self._removed]:
                account.dropped[cause] += max(account.in_flight(), 0)

    def drops(self) -> dict[str, int]:
        """Return frames dropped by cause, over all nodes."""
        with self._lock:
            total: Counter[str] = Counter()
            for account in self._accounts.values():
                total.update(account.dropped)
            return {cause: count for cause, count in sorted(total.items()) if count}

    def to_dict(self) -> dict[str, Any]:
        """Return the accounts of all nodes as plain data."""
        with self._lock:
            return {name: account.to_dict() for name, account in self._accounts.items()}

    def streams(self) -> dict[str, Any]:
        """Return the accounts of all streams that are there as plain data."""
        with self._lock:
            return {stream_id: account.to_dict() for stream_id, account in self._streams.items()}

    def of_stream(self, stream_id: str) -> dict[str, Any]:
        """Return the account of a stream as plain data; an empty one where it has none."""
        with self._lock:
            return self._streams.get(stream_id, Account()).to_dict()

    def removed(self) -> dict[str, Any]:
        """Return what streams that are gone add up to."""
        with self._lock:
            return self._removed.to_dict()

    def violations(self, hand_overs: Iterable[tuple[str, str]] = ()) -> list[str]:
        """Return one line for each node or stream whose frames do not add up at the end of a run, and for each loss.

        Args:
            hand_overs: pairs of nodes: all frames that left the first should have come to the second.
        """
        accounts = self.to_dict()
        owners = {f"node {name!r}": account for name, account in accounts.items()}
        owners |= {f"stream {stream_id!r}": account for stream_id, account in self.streams().items()}
        owners["streams that were removed"] = self.removed()
        nothing = {"in": 0, "out": 0}
        return [
            f"{owner}: {account['in']} frames came, {account['out']} went, "
            f"{sum(account['dropped'].values())} were dropped, {account['in_flight']} are missing"
            for owner, account in owners.items()
            if account["in_flight"] != 0
        ] + [
            f"between {first!r} and {second!r}: {went} frames left, {came} came"
            for first, second in hand_overs
            if (went := accounts.get(first, nothing)["out"]) != (came := accounts.get(second, nothing)["in"])
        ]
