"""The model files of this checkout, with what the environment and the options say about fetching more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from cli import program
from cli.fetch_progress import FetchProgress
from cli.log_format import tell
from pipeline.model_files.pulling import Store
from pipeline.model_files.settings import Settings
from pipeline.model_files.transfer import Means


@contextmanager
def opened_store(offline: bool = False) -> Iterator[Store]:
    """Give the files, with progress on standard error while some are fetched.

    Args:
        offline: whether an option says that nothing is to be fetched.

    Raises:
        ConfigError: a setting of the environment is wrong.
    """
    progress = FetchProgress()
    store = Store(program.ROOT, Settings.of(os.environ, offline), Means(progress=progress.observe))
    try:
        with store.opened():
            yield store
    except KeyboardInterrupt:
        progress.finish()
        tell("ended; what was fetched is kept: type the same again to go on")
        raise
    finally:
        progress.finish()
