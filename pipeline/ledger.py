"""Count every frame at every node, so that at the end in = out + dropped + in flight, or it is an error."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Account:
    """Frames of one node: what came in, went out, and was dropped, by cause."""

    came: int = 0
    went: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    def in_flight(self) -> int:
        """Return frames that came and neither went nor were dropped."""
        return self.came - self.went - sum(self.dropped.values())


class Ledger:
    """Accounts by node name. Safe to use from every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accounts: defaultdict[str, Account] = defaultdict(Account)

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
            for account in self._accounts.values():
                account.dropped[cause] += max(account.in_flight(), 0)

    def drops(self) -> dict[str, int]:
        """Return frames dropped by cause, over all nodes."""
        with self._lock:
            total: Counter[str] = Counter()
            for account in self._accounts.values():
                total.update(account.dropped)
            return {cause: count for cause, count in sorted(total.items()) if count}

    def to_dict(self) -> dict[str, Any]:
        """Return all accounts as plain data."""
        with self._lock:
            return {
                name: {
                    "in": account.came,
                    "out": account.went,
                    "dropped": {cause: count for cause, count in sorted(account.dropped.items()) if count},
                    "in_flight": account.in_flight(),
                }
                for name, account in self._accounts.items()
            }

    def violations(self, hand_overs: Iterable[tuple[str, str]] = ()) -> list[str]:
        """Return one line for each node whose frames do not add up at the end of a run, and for each loss between two.

        Args:
            hand_overs: pairs of nodes: all frames that left the first should have come to the second.
        """
        accounts = self.to_dict()
        nothing = {"in": 0, "out": 0}
        return [
            f"node {name!r}: {account['in']} frames came, {account['out']} went, "
            f"{sum(account['dropped'].values())} were dropped, {account['in_flight']} are missing"
            for name, account in accounts.items()
            if account["in_flight"] != 0
        ] + [
            f"between {first!r} and {second!r}: {went} frames left, {came} came"
            for first, second in hand_overs
            if (went := accounts.get(first, nothing)["out"]) != (came := accounts.get(second, nothing)["in"])
        ]
