"""Encrypted connections: keys on the disk, and who is let in, over real sockets."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq
import zmq.auth

from pipeline.bus import curve, wire
from pipeline.bus.keeper import Keeper
from pipeline.bus.publisher import Publisher
from pipeline.errors import ConfigError
from tests.pipeline.bus.stories import message

WAIT_MS = 10_000
Socket = zmq.Socket[bytes]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    curve.make_keys(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def publisher(keys: Path, tmp_path: Path) -> Iterator[Publisher]:
    keeper = Keeper("bus", None, keep_s=1, keep_bytes=1, room=1, interrupted=lambda last, sequence: None)
    made = Publisher("bus", f"ipc://{tmp_path}/bus", f"ipc://{tmp_path}/ask", keeper, keys=keys, linger_s=0)
    yield made
    made.close()


@pytest.fixture
def sockets() -> Iterator[list[Socket]]:
    made: list[Socket] = []
    with zmq.Context() as context:
        made += [context.socket(zmq.SUB), context.socket(zmq.DEALER)]
        for one in made:
            one.linger = 0
        yield made
        for one in made:
            one.close()


def connect(one: Socket, address: str) -> int:
    """Connect and return how the handshake ended."""
    from zmq.utils.monitor import recv_monitor_message

    watch = one.get_monitor_socket(
        zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    )  # fmt: skip
    one.connect(address)
    assert watch.poll(WAIT_MS), "no handshake"
    event = recv_monitor_message(watch)["event"]
    one.disable_monitor()
    watch.close()
    return int(event)


def test_who_has_a_key_that_is_let_in_gets_messages_and_answers(
    keys: Path, publisher: Publisher, sockets: list[Socket], tmp_path: Path
) -> None:
    subscriber, asking = sockets
    for one in sockets:
        curve.secure_client(one, keys)
    subscriber.subscribe("look/")

    assert connect(subscriber, f"ipc://{tmp_path}/bus") == zmq.EVENT_HANDSHAKE_SUCCEEDED
    subscriber.subscribe("log/")  # told after the other: a heartbeat says that both are known
    assert subscriber.poll(WAIT_MS)
    subscriber.recv_multipart()
    publisher.offer([message(0)])
    while len(frames := subscriber.recv_multipart()) != 3:
        pass
    assert connect(asking, f"ipc://{tmp_path}/ask") == zmq.EVENT_HANDSHAKE_SUCCEEDED
    asking.send(b'{"ask":"snapshot"}')
    assert asking.poll(WAIT_MS)
    reply, _ = wire.decode_reply(asking.recv_multipart())

    assert frames[2] == b"shop/0/0"
    assert reply.upto == 0


def test_who_is_not_let_in_gets_nothing(
    keys: Path, publisher: Publisher, sockets: list[Socket], tmp_path: Path
) -> None:
    curve.make_keys(tmp_path / "other")
    (tmp_path / "other" / "server.key").write_bytes((keys / "server.key").read_bytes())

    ends = []
    for one, address in zip(sockets, ("bus", "ask"), strict=True):
        curve.secure_client(one, tmp_path / "other")
        ends.append(connect(one, f"ipc://{tmp_path}/{address}"))

    assert ends == [zmq.EVENT_HANDSHAKE_FAILED_AUTH] * 2


def test_who_has_no_keys_gets_nothing(publisher: Publisher, sockets: list[Socket], tmp_path: Path) -> None:
    end = connect(sockets[0], f"ipc://{tmp_path}/bus")

    assert end != zmq.EVENT_HANDSHAKE_SUCCEEDED


def test_who_takes_another_server_for_ours_is_not_connected(
    keys: Path, publisher: Publisher, sockets: list[Socket], tmp_path: Path
) -> None:
    curve.make_keys(tmp_path / "other")
    (keys / "clients" / "other.key").write_bytes((tmp_path / "other" / "client.key").read_bytes())
    curve.secure_client(sockets[0], tmp_path / "other")

    end = connect(sockets[0], f"ipc://{tmp_path}/bus")

    assert end != zmq.EVENT_HANDSHAKE_SUCCEEDED


def test_keys_are_let_in_and_shut_out_while_the_publisher_runs(keys: Path, tmp_path: Path) -> None:
    door = curve.Door(keys)
    other = tmp_path / "other"
    curve.make_keys(other)
    key = zmq.utils.z85.decode(curve.read_key(other / "client.key", "public"))
    request = [b"1.0", b"7", b"gazegraph", b"127.0.0.1", b"", b"CURVE", key]

    stranger = door.answer(request)
    (keys / "clients" / "other.key").write_bytes((other / "client.key").read_bytes())
    known = door.answer(request)
    (keys / "clients" / "other.key").unlink()
    stranger_again = door.answer(request)

    assert stranger == stranger_again == [b"1.0", b"7", b"400", b"unknown key", b"", b""]
    assert known == [b"1.0", b"7", b"200", b"OK", b"", b""]


@pytest.mark.parametrize(
    ("at", "frame"), [(0, b"2.0"), (2, b"other"), (5, b"NULL"), (5, b"PLAIN"), (6, b"short"), (6, b"")]
)
def test_no_other_way_leads_in(keys: Path, at: int, frame: bytes) -> None:
    key = zmq.utils.z85.decode(curve.read_key(keys / "client.key", "public"))
    request = [b"1.0", b"7", b"gazegraph", b"127.0.0.1", b"", b"CURVE", key]
    door = curve.Door(keys)
    good = door.answer(request)
    request[at] = frame

    assert good[2] == b"200"
    assert door.answer(request)[2] == b"400"
    assert door.answer(request[:3])[2] == b"400"
    assert door.answer([])[2] == b"400"


def test_a_damaged_key_among_those_let_in_is_told_and_the_others_still_count(
    keys: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (keys / "clients" / "broken.key").write_text("public-key = 7\n", encoding="utf-8")
    key = zmq.utils.z85.decode(curve.read_key(keys / "client.key", "public"))

    answer = curve.Door(keys).answer([b"1.0", b"7", b"gazegraph", b"", b"", b"CURVE", key])

    assert answer[2] == b"200"
    assert caplog.messages == [
        f"{keys}/clients/broken.key: expected a public key, got a file without one; make keys with: python "
        "run_graph.py keys DIR"
    ]


def test_secret_keys_can_be_read_by_their_owner_alone(keys: Path) -> None:
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in keys.iterdir() if path.is_file()}

    assert modes == {
        "server.key_secret": "0o600",
        "client.key_secret": "0o600",
        "server.key": oct(0o644 & ~umask()),
        "client.key": oct(0o644 & ~umask()),
    }


def umask() -> int:
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_key_files_are_what_other_tools_read(keys: Path) -> None:
    for name in ("server", "client"):
        public, secret = zmq.auth.load_certificate(keys / f"{name}.key_secret")
        only, none = zmq.auth.load_certificate(keys / f"{name}.key")

        assert (public, none) == (only, None)
        assert public == curve.read_key(keys / f"{name}.key", "public")
        assert secret == curve.read_key(keys / f"{name}.key_secret", "secret")
    assert (keys / "clients" / "client.key").read_bytes() == (keys / "client.key").read_bytes()


def test_keys_made_by_other_tools_are_read(tmp_path: Path) -> None:
    public_file, secret_file = zmq.auth.create_certificates(tmp_path, "server")

    assert curve.read_key(Path(secret_file), "secret") == zmq.auth.load_certificate(secret_file)[1]
    assert curve.read_key(Path(public_file), "public") == zmq.auth.load_certificate(public_file)[0]


def test_keys_that_are_there_are_not_overwritten(keys: Path) -> None:
    before = {path: path.read_bytes() for path in keys.rglob("*") if path.is_file()}
    (keys / "server.key_secret").unlink()

    with pytest.raises(ConfigError) as error:
        curve.make_keys(keys)

    assert str(error.value) == (
        f"{keys}/server.key: expected no keys yet, got some, which are not overwritten because they may be in use; "
        "give another folder, or remove these keys first"
    )
    assert not (keys / "server.key_secret").exists()
    assert all(path.read_bytes() == content for path, content in before.items() if path.exists())


def test_each_making_gives_other_keys(keys: Path, tmp_path: Path) -> None:
    curve.make_keys(tmp_path / "other")

    for name in ("server.key", "client.key"):
        assert (keys / name).read_bytes() != (tmp_path / "other" / name).read_bytes()


def test_keys_that_are_missing_or_damaged_are_told(keys: Path, tmp_path: Path) -> None:
    (keys / "server.key_secret").write_text("nothing\n", encoding="utf-8")

    with pytest.raises(ConfigError) as damaged:
        curve.check_server_keys(keys)
    with pytest.raises(ConfigError) as missing:
        curve.check_server_keys(tmp_path / "none")

    cure = "make keys with: python run_graph.py keys DIR"
    assert str(damaged.value) == f"{keys}/server.key_secret: expected a secret key, got a file without one; {cure}"
    assert str(missing.value) == (
        f"{tmp_path}/none/server.key_secret: expected a key, got: No such file or directory; {cure}"
    )


def test_a_folder_without_those_to_let_in_is_told(keys: Path) -> None:
    (keys / "clients" / "client.key").unlink()
    (keys / "clients").rmdir()

    with pytest.raises(
        ConfigError, match=re.escape(f"{keys}/clients: expected a folder with the keys of who is let in")
    ):
        curve.check_server_keys(keys)


def test_a_secret_that_others_can_read_is_told(keys: Path, caplog: pytest.LogCaptureFixture) -> None:
    curve.check_server_keys(keys)
    safe = list(caplog.messages)
    path = keys / "server.key_secret"
    path.chmod(0o644)

    curve.check_server_keys(keys)

    assert (safe, caplog.messages) == (
        [],
        [f"{path}: expected to be readable by its owner alone, got others too; type: chmod 600 {path}"],
    )
