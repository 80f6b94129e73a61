"""Where `publish_events` listens and keeps its log, and what is said where it cannot."""

import socket
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from nodes.publish_events import PublishEvents
from nodes.types import Visits
from pipeline.bus import curve
from pipeline.errors import ConfigError
from tests.helpers import FakeContext, make_node, run_node
from tests.nodes.published import FRAMES, free_port, logged, visits


def test_a_taken_port_is_said_once_and_the_run_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port, requests = other.getsockname()[1], f"ipc://{tmp_path}/requests"
        node = make_node(
            PublishEvents, FakeContext(tmp_path), endpoint=f"tcp://127.0.0.1:{port}", requests=requests, linger_s=0
        )
        ticks = [(FRAMES, visits(1)), (FRAMES, Visits.empty()), (FRAMES, visits(2, first=1))]

        outputs = run_node(node, ticks, ["shop"])

    assert outputs == [None] * 4
    assert len(logged(tmp_path)) == 2
    assert caplog.messages == [
        f"node: tcp://127.0.0.1:{port} is taken by another program, perhaps another run: no events are published until "
        f"it is free; stop that program or choose another port with --set node.endpoint=tcp://127.0.0.1:{port + 1}"
    ]


def test_two_runs_after_each_other_may_use_one_port(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    endpoint, requests = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))

    for _ in range(2):
        node = make_node(PublishEvents, FakeContext(tmp_path), endpoint=endpoint, requests=requests, linger_s=0)
        run_node(node, [(FRAMES, visits(1))])

    assert caplog.messages == []


def test_an_address_of_another_machine_is_refused_and_nothing_stays_open(tmp_path: Path) -> None:
    node = make_node(PublishEvents, FakeContext(tmp_path), endpoint="tcp://192.0.2.1:5570", linger_s=0)  # nobody's own

    with pytest.raises(ConfigError) as error:
        node.open()
    node.close()

    assert str(error.value) == (
        "node.endpoint: expected an address that this machine can listen on, got 'tcp://192.0.2.1:5570' (Cannot assign "
        "requested address); give another with --set node.endpoint=tcp://127.0.0.1:5570"
    )


def test_listening_to_other_machines_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    endpoint, requests = f"tcp://*:{free_port()}", f"tcp://127.0.0.1:{free_port()}"

    run_node(make_node(PublishEvents, FakeContext(tmp_path), endpoint=endpoint, requests=requests, linger_s=0), [])

    assert caplog.messages == [
        f"node: {endpoint} can be read, without a password, by every machine that reaches this one; "
        "python run_graph.py keys DIR makes keys"
    ]


def test_keys_that_cannot_be_used_are_a_problem_of_the_configuration(tmp_path: Path) -> None:
    without, none = (make_node(PublishEvents, keys=keys).config for keys in (tmp_path / "keys", None))
    before = without.problems(tmp_path)
    curve.make_keys(tmp_path / "keys")

    assert before == {
        "keys": [
            f"{tmp_path}/keys/server.key_secret: expected a key, got: No such file or directory; make keys with: "
            "python run_graph.py keys DIR"
        ]
    }
    assert (without.problems(tmp_path), none.problems(tmp_path)) == ({}, {})


@pytest.mark.parametrize("setting", ["endpoint", "requests"])
@pytest.mark.parametrize(
    "endpoint",
    ["", "5570", "tcp://127.0.0.1", "tcp://127.0.0.1:0", "tcp://127.0.0.1:65536", "udp://127.0.0.1:5570", "ipc://",
     "inproc://bus", "tcp://a b:5570", "tcp://127.0.0.1:5570\n"],
)  # fmt: skip
def test_an_endpoint_that_nobody_could_connect_to_is_refused(endpoint: str, setting: str) -> None:
    config: dict[str, Any] = {setting: endpoint}

    with pytest.raises(ValidationError) as error:
        make_node(PublishEvents, **config)

    assert error.value.errors()[0]["msg"] == (
        "Value error, expected tcp://HOST:PORT with a port from 1 to 65535, or ipc://PATH, got "
        f"{endpoint!r}; for example tcp://127.0.0.1:5570"
    )


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:5570", "tcp://*:1", "tcp://[::1]:65535", "tcp://eth0:5570"])
def test_endpoints_of_all_kinds_are_taken(endpoint: str) -> None:
    assert make_node(PublishEvents, endpoint=endpoint).config.endpoint == endpoint


@pytest.mark.parametrize("name", ["../events.db", "a/b.db", "", "/tmp/events.db"])
def test_the_log_lies_in_the_folder_of_the_run(name: str) -> None:
    with pytest.raises(ValidationError):
        make_node(PublishEvents, log=name)
