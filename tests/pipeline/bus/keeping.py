"""Keepers made for tests, and what they hold and have written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from pipeline.bus.keeper import Keeper
from pipeline.bus.message import Message
from tests.pipeline.bus.stories import all_of, ids, open_log


def interrupted(last: Message, sequence: int) -> Message | None:
    if last.data == b"unreadable":
        return None
    return msgspec.structs.replace(last, id=f"{last.id}+{sequence}", sequence=sequence, holds=False)


def keeper(path: Path | None, opened: list[Keeper], **config: Any) -> Keeper:
    values: dict[str, Any] = {"keep_s": 1e9, "keep_bytes": 10**9, "room": 5, "back_off_s": (0.0,), **config}
    made = Keeper("bus", path, interrupted=interrupted, **values)
    made.open()
    opened.append(made)
    return made


def held(one: Keeper) -> list[str]:
    return ids(one.held.snapshot()[0])


def of_file(path: Path) -> list[str]:
    log = open_log(path)
    found = ids(all_of(log))
    log.close()
    return found
