"""What the environment says about fetching model files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline.errors import ConfigError
from pipeline.model_files.addresses import problem_of, split
from pipeline.urls import is_url

OFFLINE, MIRROR = "GAZE_OFFLINE", "GAZE_MODELS_MIRROR"
NO = frozenset({"", "0", "no", "false", "off"})


@dataclass(frozen=True)
class Settings:
    """Whether there is a network, and what is tried before the addresses of cards."""

    offline: bool = False
    """True: nothing is fetched from a network; from a folder, files are copied all the same."""
    mirror: str | Path | None = None
    """Address of a folder on a web server that holds files by name, or a folder of this machine."""

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ, offline: bool = False) -> Self:
        """Return what environment variables say.

        Args:
            environ: the environment variables.
            offline: whether an option says that there is no network.

        Raises:
            ConfigError: a mirror is set that is none.
        """
        offline = offline or environ.get(OFFLINE, "").strip().lower() not in NO
        return cls(offline, _mirror(environ.get(MIRROR, "")))

    @property
    def plain_http(self) -> bool:
        """Whether the mirror was set without encryption, so that it may send us on without."""
        parts = split(self.mirror) if isinstance(self.mirror, str) else None
        return parts is not None and parts.scheme.lower() == "http"


def _mirror(named: str) -> str | Path | None:
    if not named:
        return None
    if is_url(named):
        if problem := problem_of(named, plain_http=True):
            raise ConfigError(f"{MIRROR}: {problem}; a folder is named by its path")
        return named
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise ConfigError(f"{MIRROR}: expected https://host/path or a folder, got {named!r}; correct or unset it")
    return folder
