"""Serve the HTTP API of a run: uvicorn with an event loop of its own on a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import uvicorn

from pipeline.control.access import Access
from pipeline.control.address import Address
from pipeline.control.http_api import HttpApi
from pipeline.control.steers import Steers

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 64
"""Connections; more are told that it is busy."""
LAST_ANSWERS_S = 2
"""Seconds that requests may take to be answered once the run is over."""


@contextmanager
def serving(run: Steers, access: Access, version: str) -> Iterator[Address]:
    """Serve a run as long as the context lasts; no signal handler is set.

    Args:
        run: what is told of and steered.
        access: where, and to whom.
        version: of gazegraph.

    Yields:
        Where it listens, with the port that port 0 stood for.

    Raises:
        ConfigError: the address is taken, or none of this machine's.
    """
    listening = access.address.listen()
    reading = ThreadPoolExecutor(2, "http-reads")
    changing = ThreadPoolExecutor(1, "http-changes")
    api = HttpApi(run, access, version, reading, changing)
    server = uvicorn.Server(
        uvicorn.Config(
            api.app(),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level=logging.CRITICAL,  # it tells of every request that is no HTTP
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_AT_ONCE,
            timeout_graceful_shutdown=LAST_ANSWERS_S,
        )
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), name="http")
    where = _listens_at(access.address, listening)
    thread.start()
    try:
        logger.info("watch and steer it at %s", where, extra={"fields": {"address": str(where)}})
        yield where
    finally:
        server.should_exit = True
        thread.join()
        for pool in (reading, changing):
            pool.shutdown(cancel_futures=True)
        if access.address.path:
            access.address.path.unlink(missing_ok=True)


def _listens_at(address: Address, listening: socket.socket) -> Address:
    return address if address.path else Address(address.host, listening.getsockname()[1])
