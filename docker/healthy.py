"""Ask a graph of this container whether it is well: `healthy.py PORT` exits 0 or 1, for HEALTHCHECK. Needs no packages.

A graph that serves nothing, as a run of files does not, cannot be asked: it is well for as long as its process lives.
"""

from __future__ import annotations

import http.client
import sys

TIMEOUT_S = 4.0


def illness(port: int) -> str | None:
    """Return why the graph that serves at a port of this machine is not well, or None."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        asked.request("GET", "/health/live")
        answer = asked.getresponse()
        told = answer.read().decode("utf-8", "replace")
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException) as error:
        return f"port {port}: expected an answer in {TIMEOUT_S:g} s, got {error!r}"
    finally:
        asked.close()
    return None if answer.status == http.client.OK else f"port {port}: {answer.status} {told}"


if __name__ == "__main__":
    if why := illness(int(sys.argv[1])):
        sys.exit(why)
