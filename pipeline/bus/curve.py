"""Keys for encrypted connections: made once, read by publisher and subscribers.

Ref: CurveZMQ (ZeroMQ RFC 26), ZAP (RFC 27); the files are certificates as all ZeroMQ tools read them (ZPL, RFC 4).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError
from pipeline.outputs import cannot_write, make_folder

if TYPE_CHECKING:
    import zmq

logger = logging.getLogger(__name__)

SERVER_SECRET, SERVER_PUBLIC = "server.key_secret", "server.key"
CLIENT_SECRET, CLIENT_PUBLIC = "client.key_secret", "client.key"
ALLOWED = "clients"
"""The folder of the public keys of those who are let in, as files that end in `.key`."""
LARGEST = 4096
"""Bytes of a key file."""
KEY = re.compile(
    r'^\s*(?P<kind>public|secret)-key\s*=\s*"(?P<key>[0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]{40})"\s*$', re.M
)
DOMAIN = b"gazegraph"
CURE = "make keys with: python run_graph.py keys DIR"


def make_keys(folder: Path) -> None:
    """Make a folder with a pair of keys for the publisher, one for subscribers, and the folder of who is let in.

    Files of secret keys can be read by their owner alone.

    Raises:
        ConfigError: keys are there already, which are never overwritten, or nothing can be written.
    """
    import zmq

    names = (SERVER_SECRET, SERVER_PUBLIC, CLIENT_SECRET, CLIENT_PUBLIC)
    for name in (*names, f"{ALLOWED}/{CLIENT_PUBLIC}"):
        if (folder / name).exists():
            raise ConfigError(
                f"{folder / name}: expected no keys yet, got some, which are not overwritten because they may be in "
                "use; give another folder, or remove these keys first"
            )
    make_folder(folder / ALLOWED)
    for secret_name, public_name in ((SERVER_SECRET, SERVER_PUBLIC), (CLIENT_SECRET, CLIENT_PUBLIC)):
        public, secret = zmq.curve_keypair()
        _write(folder / secret_name, 0o600, public, secret)
        _write(folder / public_name, 0o644, public)
        if public_name == CLIENT_PUBLIC:
            _write(folder / ALLOWED / public_name, 0o644, public)


def secure_server(socket: zmq.Socket[bytes], folder: Path) -> None:
    """Let a socket that is not bound yet talk only to those who know its key and are let in.

    Raises:
        ConfigError: a key is missing or damaged.
    """
    import zmq

    socket.curve_secretkey = read_key(folder / SERVER_SECRET, "secret")
    socket.curve_publickey = read_key(folder / SERVER_SECRET, "public")
    socket.curve_server = True
    socket.zap_domain = DOMAIN
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # nobody is let in while there is no door


def secure_client(socket: zmq.Socket[bytes], folder: Path) -> None:
    """Let a socket that is not connected yet talk only to the publisher whose key is in the folder.

    Raises:
        ConfigError: a key is missing or damaged.
    """
    socket.curve_serverkey = read_key(folder / SERVER_PUBLIC, "public")
    socket.curve_publickey = read_key(folder / CLIENT_SECRET, "public")
    socket.curve_secretkey = read_key(folder / CLIENT_SECRET, "secret")


def check_server_keys(folder: Path) -> None:
    """Make sure that a publisher can use the keys in a folder; warn where they are not safe.

    Raises:
        ConfigError: a key is missing or damaged.
    """
    path = folder / SERVER_SECRET
    read_key(path, "secret")
    if not (folder / ALLOWED).is_dir():
        raise ConfigError(f"{folder / ALLOWED}: expected a folder with the keys of who is let in, got none; {CURE}")
    if path.stat().st_mode & 0o077:
        logger.warning("%s: expected to be readable by its owner alone, got others too; type: chmod 600 %s", path, path)


def read_key(path: Path, kind: str) -> bytes:
    """Return the `public` or `secret` key in a file, 40 characters of Z85.

    Raises:
        ConfigError: the file cannot be read or does not hold the key.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST).decode("utf-8", "replace")
    except OSError as error:
        raise ConfigError(f"{path}: expected a key, got: {error.strerror}; {CURE}") from error
    for found in KEY.finditer(text):
        if found["kind"] == kind:
            return found["key"].encode()
    raise ConfigError(f"{path}: expected a {kind} key, got a file without one; {CURE}")


class Door:
    """Decides who is let in: those whose public key is in the folder at that moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / ALLOWED

    def answer(self, request: Sequence[bytes]) -> list[bytes]:
        """Return the answer to a ZAP request; whatever is wrong with it, nobody is let in."""
        import zmq.utils.z85

        version, number = (*request, b"", b"")[:2]
        curve = len(request) == 7 and version == b"1.0" and request[2] == DOMAIN and request[5] == b"CURVE"
        if curve and len(request[6]) == 32 and zmq.utils.z85.encode(request[6]) in self._allowed():
            return [b"1.0", number, b"200", b"OK", b"", b""]
        return [b"1.0", number, b"400", b"unknown key", b"", b""]

    def _allowed(self) -> set[bytes]:
        allowed = set()
        for path in sorted(self._folder.glob("*.key")):
            try:
                allowed.add(read_key(path, "public"))
            except ConfigError as error:
                logger.warning("%s", error)
        return allowed


def _write(path: Path, mode: int, public: bytes, secret: bytes | None = None) -> None:
    lines = ["# CurveZMQ key of gazegraph", "metadata", "curve", f'    public-key = "{public.decode()}"']
    lines += [] if secret is None else [f'    secret-key = "{secret.decode()}"']
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(handle, "w", encoding="ascii") as file:
            file.write("\n".join([*lines, ""]))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(f"{path}: {cannot_write(error)}") from error
