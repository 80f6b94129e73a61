"""The listener hears what the publishing node sends, over a real socket."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from examples.listen import listen
from nodes.publish_events import PublishEvents
from nodes.types import Visits
from tests.helpers import frames, make_node, table


def test_listen_prints_published_events(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/bus"
    node = make_node(PublishEvents, endpoint=endpoint, log=None)
    node.open()
    looks = table(
        Visits, id=["a"], kind=["ended"], stream_id=["shop"], track_id=[3], target=["coffee"],
        dwell_ns=[1_500_000_000], end_ns=[2_000_000_000], known_ns=[2_500_000_000],
    )  # fmt: skip

    ear = threading.Thread(target=listen, args=(endpoint, "look/shop/3/", 1))
    ear.start()
    while ear.is_alive():  # who subscribes late misses what was sent, so it is sent until it is heard
        node.process(frames(1), looks)
        ear.join(0.02)
    node.close()

    assert capsys.readouterr().out == "shop     2.50 s  #3 ended     coffee 1.5 s\n"
