"""Events to be published, and what the log of a run holds of them."""

from __future__ import annotations

import socket
from pathlib import Path

from nodes.types import Visits
from pipeline.bus.log import Log
from pipeline.bus.message import Kept
from tests.helpers import frames, table

FRAMES = frames(1)


def visits(*tracks: int, first: int = 0, kind: str = "started", generation: int = 0, stream: str = "shop") -> Visits:
    """Return an event for each track; sequences count from `first`."""
    count = len(tracks)
    names = [f"{stream}/{generation}/{track}/tea/0" for track in tracks]
    made: Visits = table(
        Visits,
        id=[f"{name}/{kind}" for name in names],
        visit=names,
        kind=[kind] * count,
        stream_id=[stream] * count,
        generation=[generation] * count,
        track_id=tracks,
        target=["tea"] * count,
        sequence=range(first, first + count),
        score=[1] * count,
    )
    return made


def logged(folder: Path) -> list[Kept]:
    """Return what the log of a run holds."""

    def fail(fault: Exception) -> None:
        raise fault

    log = Log(folder / "events.db", fail)
    kept, _ = log.reader.events(0, "", 1000)
    log.close()
    return kept


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port
