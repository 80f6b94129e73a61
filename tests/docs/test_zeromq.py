"""What docs/zeromq.md says is so: its examples are sent and answered, its words and numbers are the program's."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from nodes.ops import cloud_events
from nodes.publish_events import Config
from pipeline.bus import curve, keeper, server, wire
from pipeline.bus.answers import Answers, frames_of
from pipeline.bus.held import Held
from pipeline.bus.log import Log
from pipeline.bus.log_faults import WORDS, LogFault
from pipeline.bus.message import Kept, Message
from pipeline.bus.publisher import Publisher
from tests.repository import ROOT

PAGE = (ROOT / "docs/zeromq.md").read_text("utf-8")
SECTIONS = dict(part.split("\n", 1) for part in PAGE.split("\n## ")[1:])
EXAMPLES = [block.encode().split(b"\n") for block in re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)]
MESSAGE, HEARTBEAT, *REQUESTS = EXAMPLES
LOG = wire.decode_message(MESSAGE).headers.log  # type: ignore[union-attr]
STORY = (("look/shop/2/", "shop/0/2/cereal/1880000000/started"), ("look/shop/1/", "shop/0/1/cereal/2480000000/started"),
         ("look/shop/3/", "shop/0/3/coffee/3080000000/started"), ("look/shop/2/", json.loads(MESSAGE[2])["id"]),
         ("look/shop/1/", "shop/0/1/cereal/2480000000/updated/1"))  # fmt: skip
"""Topics and ids of the first messages of the run that the examples are of."""
TIMES = ("08:23:53.880163", "08:23:54.696169", "08:23:55.674662", "08:23:56.786591", "08:23:57.356148")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[tuple[Log, list[Kept]]]:
    def fail(fault: LogFault) -> None:
        raise fault

    made = Log(tmp_path / "events.db", fail)
    kept: list[Kept] = []
    for number, ((topic, id), time) in enumerate(zip(STORY, TIMES, strict=True)):
        data = MESSAGE[2] if number == 3 else b"{}"
        key = id.rpartition("/started")[0] or id.rpartition("/updated")[0]
        message = Message(topic, id, "retail/shop", 0, number, cloud_events.MEDIA_TYPES["json"], key, True, data)
        kept += made.append([message], wire.epoch_ns(f"2026-11-21T{time}Z"))
    yield made, kept
    made.close()


def test_the_message_is_what_is_sent(log: tuple[Log, list[Kept]]) -> None:
    made, kept = log
    told = kept[3]

    frames = frames_of(told, LOG, wire.rfc3339(told.recorded_ns))

    assert list(frames) == MESSAGE
    assert made.id != LOG
    assert cloud_events.encode(cloud_events.decode(MESSAGE[2])) == MESSAGE[2]


def test_the_heartbeat_is_what_is_sent() -> None:
    heartbeat = wire.decode_message(HEARTBEAT)

    assert isinstance(heartbeat, wire.Heartbeat)
    assert [wire.HEARTBEAT_TOPIC, wire.encode(heartbeat)] == HEARTBEAT


@pytest.mark.parametrize("example", REQUESTS, ids=lambda example: example[0].decode())
def test_requests_are_answered_as_the_page_says(example: list[bytes], log: tuple[Log, list[Kept]]) -> None:
    made, kept = log
    held = Held()
    held.begin(kept[2:], made.id, 5)  # of each visit the last one
    answers = Answers(held, keeps=True)
    answers.log = made

    reply = answers.reply(example[:1])

    assert [frame.replace(made.id.encode(), (LOG or "").encode()) for frame in reply] == example[1:]


def test_every_kind_of_request_is_shown() -> None:
    asked = [json.loads(example[0])["ask"] for example in REQUESTS]

    assert asked == [*(ask.__struct_config__.tag for ask in get_args(wire.Ask)), "events"]
    assert re.findall(r"^\*\*`(\w+)`\*\*", SECTIONS["Requests"], re.MULTILINE) == asked[:-1]


def test_all_members_are_explained() -> None:
    def explained(section: str) -> list[str]:
        rows = "".join(re.findall(r"^\| (`.*?) \|", SECTIONS[section], re.MULTILINE))
        return re.findall(r"`(.+?)`", rows)

    assert explained("A message") == list(wire.Headers.__struct_fields__)
    assert explained("Gaps") == list(wire.Heartbeat.__struct_fields__)
    assert set(explained("Requests")) == set(wire.Reply.__struct_fields__)


def test_numbers_are_those_of_the_program() -> None:
    assert f"At most {wire.TOPIC_BYTES} bytes" in PAGE
    assert f"{wire.REQUEST_BYTES // 1024} KiB at most" in PAGE
    assert f"`most` is at most\n{wire.MOST_MESSAGES}, which is the default" in PAGE
    assert f"A reply ends early after {wire.REPLY_BYTES // 2**20} MiB" in PAGE
    assert f"after {server.REPLIES}, replies" in PAGE
    assert wire.HEARTBEAT_S == 1 and "which comes every second" in PAGE
    assert "after 1, 2, 4, … 30 s" in PAGE and keeper.BACK_OFF_S[:3] == (1, 2, 4) and keeper.BACK_OFF_S[-1] == 30


def test_options_are_those_of_the_node() -> None:
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", SECTIONS["Options"], re.MULTILINE)
    told = {name: said for names, said in rows for name in re.findall(r"`(\w+)`", names)}
    config = Config()

    assert list(told) == [name for name in Config.model_fields if name in told]
    assert set(Config.model_fields) - set(told) <= {"stage"}
    for name in ("endpoint", "log", "format", "queue", "linger_s"):
        assert told[name].strip("`") == str(getattr(config, name))
    assert told["keep_days"] == f"{config.keep_days:g}, {config.keep_mb:g}"


def test_all_that_is_said_of_a_log_is_there() -> None:
    told = re.findall(r"`got (.+?)`", SECTIONS["When the log cannot be used"])

    assert len(told) == len(WORDS)
    for kind in WORDS:
        assert any(f"got {words}" in str(LogFault(Path("events.db"), kind)) for words in told)


def test_names_of_key_files_are_those_that_are_made(tmp_path: Path) -> None:
    curve.make_keys(tmp_path)
    said = SECTIONS["Who may listen"]

    for name in ("server.key", "client.key", "server.key_secret", "client.key_secret"):
        assert (tmp_path / name).exists() and name in said
    assert (tmp_path / "clients").is_dir() and "DIR/clients/" in said


def test_a_subscriber_in_a_few_lines_gets_events(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code
    endpoint = f"ipc://{tmp_path}/bus"
    event = cloud_events.decode(MESSAGE[2])
    message = Message("look/shop/2/", event.id, event.source, 0, 3, "", event.data.visit, True, MESSAGE[2])
    kept = keeper.Keeper(
        "bus", tmp_path / "events.db", keep_s=1e9, keep_bytes=10**9, room=1, interrupted=lambda last, sequence: None
    )
    publisher = Publisher("bus", endpoint, f"{endpoint}-requests", kept, linger_s=0)
    begin, _, repeated = code[1].replace("tcp://127.0.0.1:5570", endpoint).partition("while True:\n")
    space: dict[str, object] = {}
    said = io.StringIO()

    exec(begin, space)  # noqa: S102
    socket = space["socket"]
    socket.subscribe("log/")  # type: ignore[attr-defined]
    assert socket.poll(10_000)  # type: ignore[attr-defined]
    socket.unsubscribe("log/")  # type: ignore[attr-defined]
    socket.recv_multipart()  # type: ignore[attr-defined]
    publisher.offer([message])
    with contextlib.redirect_stdout(said):
        exec(f"for _ in range(1):\n{repeated}", space)  # noqa: S102
    socket.context.destroy(linger=0)  # type: ignore[attr-defined]
    publisher.close()

    assert said.getvalue() == "look/shop/2/ 1 io.gazegraph.look.updated\n"


def test_pages_that_it_points_to_are_there() -> None:
    links = re.findall(r"\]\((?!https?:)(.+?)\)", PAGE)

    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
