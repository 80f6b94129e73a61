"""What waits for a log that cannot be used."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from pipeline.bus.message import Begun, Message


class Waiting:
    """Items in the order in which they came, as far as there is room for messages."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.refused = 0
        """Messages for which there was no room."""
        self._items: deque[Message | Begun] = deque()

    def __bool__(self) -> bool:
        return bool(self._items)

    def put(self, items: Sequence[Message | Begun]) -> None:
        """Let items wait. The beginning of a generation, which is rare and small, always finds room."""
        room = max(self.room - len(self._items), 0)
        begun = [item for item in items[room:] if isinstance(item, Begun)]
        self._items += [*items[:room], *begun]
        self.refused += len(items[room:]) - len(begun)

    def first(self, most: int) -> list[Message | Begun]:
        """Return the first ones, as `runs` makes them, but no more than `most`; they go on waiting."""
        return next(runs(islice(self._items, most)))

    def done(self, count: int) -> None:
        """Let the first ones wait no longer."""
        for _ in range(count):
            self._items.popleft()

    def count(self) -> int:
        """Return how many messages wait."""
        return sum(isinstance(item, Message) for item in self._items)

    def waits(self, message: Message) -> bool:
        """Tell whether a message, or one before it in its source's generation, waits."""
        return any(
            isinstance(item, Message)
            and (item.source, item.generation) == (message.source, message.generation)
            and item.sequence <= message.sequence
            for item in self._items
        )


def runs(items: Iterable[Message | Begun]) -> Iterator[list[Message | Begun]]:
    """Yield messages together as they come, and each beginning of a generation alone."""
    some: list[Message | Begun] = []
    for item in items:
        if type(item) is Begun:
            if some:
                yield some
            yield [item]
            some = []
        else:
            some.append(item)
    if some:
        yield some
