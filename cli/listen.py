"""`run_graph.py listen ADDRESS`: print or keep events as they are published, without gaps."""

from __future__ import annotations

import argparse
import logging
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.event_file import EventFile
from cli.event_text import KINDS, LOOKS, REPORTS, json_of, kind_of, line_of
from cli.program import DONE
from pipeline.bus.client import Subscriber
from pipeline.bus.starts import After, AfterEvent, Resume, Since, Snapshot, Start
from pipeline.bus.wire import WireError, rfc3339
from pipeline.errors import ConfigError
from pipeline.streams import STREAM_ID
from pipeline.suggest import did_you_mean

logger = logging.getLogger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HERE = "tcp://127.0.0.1:5570"
AGE = re.compile(r"-(?P<count>\d{1,6})(?P<unit>[smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
EXAMPLES = """\
examples
  python run_graph.py listen                                          this machine: visits that are open, then live
  python run_graph.py listen tcp://10.0.0.7:5570 --stream shop,door   two streams of another machine
  python run_graph.py listen --since -1h --type ended --json          the last hour, one event in JSON a line
  python run_graph.py listen --since start --append events.jsonl      keep all; goes on there when started again

The time of --since is that of the publisher's log: when an event was recorded. Ctrl-C ends it.

exit codes
  0 the reader of the output is gone   1 failed   2 wrong input or keys   130 interrupted
"""


def main(argv: Sequence[str]) -> int:
    """Run `listen [ADDRESS] [options]`; ends only by Ctrl-C, or when nobody reads the output any more.

    Raises:
        PipelineError: an option, the keys or a file is wrong, or the file cannot be written.
    """
    args = _parser().parse_args(_with_ages(argv))
    kinds = kinds_of(_words(args.type))
    prefixes = prefixes_of(_words(args.stream), _words(args.track), kinds)
    start = start_of(args.since, datetime.now(UTC))
    with ExitStack() as opened:
        tell = _print_json if args.json else _print_line
        if args.append is not None:
            file = opened.enter_context(EventFile(args.append))
            tell = file.append
            if file.last:
                start = Resume(file.last, json_of)
        subscriber = opened.enter_context(
            Subscriber(args.address, prefixes=prefixes, start=start, requests=args.requests, keys=args.keys)
        )
        for message in subscriber:
            try:
                event = json_of(message)
                kind = kind_of(message, event)
            except WireError as error:
                logger.warning("%s", error)
                continue
            if not kinds or kind in kinds:
                tell(event)
    return DONE


def kinds_of(words: Sequence[str]) -> tuple[str, ...]:
    """Return kinds of events without repeats.

    Raises:
        ConfigError: there is no such kind.
    """
    for kind in words:
        if kind not in KINDS:
            raise ConfigError(f"--type: expected a kind of event, got {kind!r}{did_you_mean(kind, KINDS, 'kinds')}")
    return tuple(dict.fromkeys(words))


def prefixes_of(streams: Sequence[str], tracks: Sequence[str], kinds: Sequence[str]) -> list[str]:
    """Return the beginnings of the topics to listen to.

    Args:
        streams: ids of streams.
        tracks: such as `shop/3`.
        kinds: of events; none stands for all looks.

    Raises:
        ConfigError: something is no stream id or track, or tracks are asked for what no track has.
    """
    for option, words, wanted, example in (
        ("--stream", streams, STREAM_ID.pattern, "shop"),
        ("--track", tracks, rf"{STREAM_ID.pattern}/[1-9][0-9]*", "shop/3"),
    ):
        for word in words:
            if not re.fullmatch(wanted, word):
                what = option.removeprefix("--")
                raise ConfigError(f"{option}: expected the name of a {what}, got {word!r}; write for example {example}")
    roots = ["look/"] if not kinds or set(kinds) & set(LOOKS) else []
    roots += ["measure/"] if set(kinds) & set(REPORTS) else []
    if tracks and "look/" not in roots:
        raise ConfigError(f"--type: expected some of {', '.join(LOOKS)} beside --track, got {kinds[0]!r}; add one")
    if not streams and not tracks:
        return roots
    return [*(f"{root}{stream}/" for root in roots for stream in streams), *(f"look/{track}/" for track in tracks)]


def start_of(since: str | None, now: datetime) -> Start:
    """Return what `--since` stands for.

    Args:
        since: `start`, an age such as `-1h`, a time in RFC 3339, or the id of an event; None: what is open now.
        now: what ages are subtracted from.

    Raises:
        ConfigError: it is none of these.
    """
    if since is None:
        return Snapshot()
    if since == "start":
        return After()
    if age := AGE.fullmatch(since):
        seconds = int(age["count"]) * SECONDS[age["unit"]]
        return _since(now - timedelta(seconds=seconds))
    if "/" in since:
        return AfterEvent(since)
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigError(
            f"--since: expected start, a time with its zone, an age or the id of an event, got {since!r}; write for "
            "example 2026-05-01T09:00:00Z or -1h"
        )
    return _since(moment)


def _since(moment: datetime) -> Since:
    return Since(rfc3339((moment - EPOCH) // timedelta(microseconds=1) * 1000))


def _with_ages(argv: Sequence[str]) -> list[str]:
    """Return the arguments with `--since -1h` as `--since=-1h`, which is no option but a value."""
    words = list(argv)
    for at in range(len(words) - 1, 0, -1):
        if words[at - 1] == "--since" and re.match(r"-\d", words[at]):
            words[at - 1 : at + 1] = [f"--since={words[at]}"]
    return words


def _words(texts: Sequence[str]) -> list[str]:
    return [word for text in texts for word in text.split(",")]


def _print_json(event: bytes) -> None:
    sys.stdout.buffer.write(event + b"\n")
    sys.stdout.buffer.flush()


def _print_line(event: bytes) -> None:
    print(line_of(event), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_graph.py listen",
        usage="run_graph.py listen [ADDRESS] [options]",
        description="Print events as they are published; what was missed is asked for, and restarts are waited out.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("address", metavar="ADDRESS", nargs="?", default=HERE, help=f"where events are published; default: {HERE}")
    add("--requests", metavar="ADDRESS", help="where requests are answered; default: where the publisher says")
    add("--since", metavar="WHEN", help="start, a time such as 2026-05-01T09:00:00Z, an age such as -1h, or the id of "
        "an event to begin after; default: visits that are open now")  # fmt: skip
    for option, name, text in (
        ("--type", "KIND", f"only events of these kinds: {', '.join(KINDS)}; default: all but window"),
        ("--stream", "ID", "only these streams"),
        ("--track", "ID/N", "only these tracks, such as shop/3"),
    ):
        add(option, metavar=f"{name}[,...]", action="append", default=[], help=text)
    add("--json", action="store_true", help="print the events themselves, one a line")
    add(
        "--append",
        metavar="FILE",
        type=Path,
        help="write events to a file, and go on after its last one when there are",
    )
    add("--keys", metavar="DIR", type=Path, help="keys for a publisher that asks for them: run_graph.py keys")
    return parser
