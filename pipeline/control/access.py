"""Who may steer a run: where it listens, and the token that others than this machine need."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.control.address import Address, parse_address
from pipeline.errors import ConfigError
from pipeline.settings import EngineConfig

VARIABLE = "GAZEGRAPH_TOKEN"
SHORTEST = 16
LONGEST = 1024
NEW_TOKEN = "python3 -c 'import secrets; print(secrets.token_urlsafe())'"
PACKAGES = {"starlette": "starlette", "uvicorn": "uvicorn", "prometheus_client": "prometheus-client"}
"""What serving needs beside everything else, as imported and as installed."""


@dataclass(frozen=True)
class Access:
    """Where a run is served, and to whom."""

    address: Address
    token: str | None = field(repr=False)
    """What a request must show; None: nothing, which only an address of this machine allows."""
    ready_s: float
    """A stream is ready while its last frame left the graph at most this many seconds ago."""


def access(settings: EngineConfig, option: str | None, environment: Mapping[str, str]) -> Access | None:
    """Return where and to whom a run is served; None: it is not.

    Args:
        settings: the `engine:` block.
        option: the value of `--serve`, which stands above `engine.serve`.
        environment: variables, for the token.

    Raises:
        ConfigError: the address or the token is wrong, a token is missing, or packages are.
    """
    text, said = (option, "--serve") if option is not None else (settings.serve, "engine.serve")
    if text is None:
        return None
    address = parse_address(text, said)
    token = read_token(settings.serve_token_file, "engine.serve_token_file", environment)
    if token is None and not address.is_local:
        raise ConfigError(
            f"{said} {text}: expected a token, because other machines reach this address, got none; type: "
            f"export {VARIABLE}=$({NEW_TOKEN}), or name a file that holds one: --set engine.serve_token_file=FILE"
        )
    if missing := [package for module, package in PACKAGES.items() if importlib.util.find_spec(module) is None]:
        raise ConfigError(
            f"{said}: expected installed packages, got none of {', '.join(missing)}; "
            f"type: {sys.executable} -m pip install {' '.join(missing)}"
        )
    return Access(address, token, settings.ready_s)


def read_token(file: Path | None, option: str, environment: Mapping[str, str]) -> str | None:
    """Return the token of a file, else that of the environment, else None.

    Raises:
        ConfigError: the file cannot be read, or what is there is no token.
    """
    if file is not None:
        try:
            with file.open(encoding="ascii") as opened:
                return _token(opened.read(LONGEST + 2).strip(), f"{option} {file}")
        except OSError as error:
            raise ConfigError(f"{option} {file}: cannot be read ({error.strerror}); check the path") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{option} {file}: {_wanted('other characters')}") from None
    given = environment.get(VARIABLE)
    return None if given is None else _token(given, VARIABLE)


def _token(text: str, where: str) -> str:
    """Return a token; what is wrong with it is told without telling it."""
    if not SHORTEST <= len(text) <= LONGEST:
        raise ConfigError(f"{where}: {_wanted(f'{len(text)}')}")
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ConfigError(f"{where}: {_wanted('other characters')}")
    return text


def _wanted(got: str) -> str:
    return f"expected a token of {SHORTEST} to {LONGEST} letters, digits and signs, got {got}; make one: {NEW_TOKEN}"
