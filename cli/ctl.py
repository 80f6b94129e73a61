"""`run_graph.py ctl VERB`: watch and steer a graph that runs with --serve, over its HTTP API."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from cli.ctl_client import Answer, Client
from cli.ctl_tables import of_health, of_run, of_streams
from cli.ctl_values import nested, values_of
from cli.log_format import tell
from cli.program import DONE, FAILED, WRONG_INPUT
from pipeline.control.access import VARIABLE, read_token
from pipeline.control.address import Address
from pipeline.errors import ConfigError
from pipeline.urls import redact

EXAMPLES = f"""\
examples
  python run_graph.py ctl streams list
  python run_graph.py ctl streams add door rtsp://10.0.0.5/live --set max_fps=10
  python run_graph.py ctl streams pause door
  python run_graph.py ctl set looks.min_look_s=0.5 streams.door.aois.shelf='[[0,0],[1,0],[1,1]]'
  python run_graph.py ctl unset streams.door.aois.shelf
  python run_graph.py ctl --at 10.0.0.7:8700 --token-file token status --json

A token is read from the environment variable {VARIABLE} or from a file.

exit codes
  0 done   1 the graph refuses, is not well, or does not answer   2 wrong input
"""


def main(argv: Sequence[str]) -> int:
    """Run `ctl VERB [options]`.

    Raises:
        PipelineError: an option is wrong, or no graph answers.
    """
    args = _parser().parse_args(argv)
    client = Client(args.at, read_token(args.token_file, "--token-file", os.environ))
    code: int = args.act(client, args)
    return code


def _list(client: Client, args: argparse.Namespace) -> int:
    return _show(client.ask("GET", "/streams"), args, of_streams)


def _add(client: Client, args: argparse.Namespace) -> int:
    values = nested(values_of(args.sets, "--set"), "--set")
    for key in ("id", "url"):
        if key in values:
            raise ConfigError(f"--set {key}: stands in its place already: ctl streams add ID URL; leave it out")
    answer = client.ask("POST", "/streams", {**values, "id": args.id, "url": args.url})
    return _done(answer, args, f"{args.id}: added")


def _remove(client: Client, args: argparse.Namespace) -> int:
    return _done(client.ask("DELETE", _path(args.id)), args, f"{args.id}: removed")


def _pause(client: Client, args: argparse.Namespace) -> int:
    return _done(client.ask("POST", f"{_path(args.id)}/pause"), args, f"{args.id}: paused")


def _resume(client: Client, args: argparse.Namespace) -> int:
    return _done(client.ask("POST", f"{_path(args.id)}/resume"), args, f"{args.id}: resumed")


def _set(client: Client, args: argparse.Namespace) -> int:
    return _show(client.ask("PATCH", "/config", values_of(args.values, "ctl set")), args, _changed)


def _unset(client: Client, args: argparse.Namespace) -> int:
    return _show(client.ask("PATCH", "/config", dict.fromkeys(args.paths)), args, _changed)


def _reload(client: Client, args: argparse.Namespace) -> int:
    return _show(client.ask("POST", "/reload"), args, _changed)


def _status(client: Client, args: argparse.Namespace) -> int:
    return _show(client.ask("GET", "/status"), args, of_run)


def _health(client: Client, args: argparse.Namespace) -> int:
    """Show whether the run goes on and frames come out; that they do not is an answer as well."""
    live = client.ask("GET", "/health/live")
    query = f"?{urlencode({'stream': args.stream})}" if args.stream else ""
    ready = client.ask("GET", f"/health/ready{query}")
    for answer in (live, ready):
        if not (answer.ok or answer.status == 503):
            return _refused(answer)
    both = {"live": live.content, "ready": ready.content}
    print(json.dumps(both, indent=2) if args.json else of_health(both))
    return DONE if live.ok and ready.ok else FAILED


def _changed(content: dict[str, Any]) -> str:
    return "\n".join(f"{path}: changed" for path in content["changed"]) or "nothing to change"


def _done(answer: Answer, args: argparse.Namespace, line: str) -> int:
    return _show(answer, args, lambda _: line)


def _show(answer: Answer, args: argparse.Namespace, table: Any) -> int:
    if not answer.ok:
        return _refused(answer)
    print(json.dumps(answer.content, indent=2) if args.json else redact(table(answer.content)))
    return DONE


def _refused(answer: Answer) -> int:
    for reason in answer.reasons():
        tell(reason)
    if answer.status == 401:
        tell(f"type: export {VARIABLE}=..., or name the file that holds the token: ctl --token-file FILE")
    return FAILED


def _path(stream_id: str) -> str:
    return f"/streams/{quote(stream_id, safe='')}"


class _Parser(argparse.ArgumentParser):
    """Tells what is wrong without the passwords of what was typed."""

    def error(self, message: str) -> NoReturn:
        """Say it and leave."""
        self.print_usage(sys.stderr)
        tell(f"{self.prog}: {message}")
        sys.exit(WRONG_INPUT)


def _everywhere() -> argparse.ArgumentParser:
    """Return the options that may stand before and after the verb; made anew, because defaults are kept in them."""
    made = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    add = made.add_argument
    add(
        "--at",
        metavar="URL",
        help=f"where the graph is served: [HOST:]PORT, a URL or unix:PATH; default: {Address()}",
    )
    add("--token-file", metavar="FILE", type=Path, help=f"holds the token; default: ${VARIABLE}")
    add("--json", action="store_true", help="print what the graph answered")
    return made


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="run_graph.py ctl",
        description="Watch and steer a graph that runs with --serve.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        parents=[_everywhere()],
    )
    parser.set_defaults(at=str(Address()), token_file=None, json=False)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    streams = verbs.add_parser("streams", help="list, add, remove, pause and resume streams")
    ways = streams.add_subparsers(metavar="VERB", required=True)

    def verb(where: Any, name: str, act: Any, text: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = where.add_parser(name, help=text, description=text, parents=[_everywhere()])
        made.set_defaults(act=act)
        return made

    verb(ways, "list", _list, "list the streams with their state")
    add = verb(ways, "add", _add, "begin to read a stream")
    for name, act, text in (
        ("remove", _remove, "end a stream and forget it"),
        ("pause", _pause, "stop reading a stream, but keep it"),
        ("resume", _resume, "read a paused stream again"),
    ):
        verb(ways, name, act, text).add_argument("id", metavar="ID")
    add.add_argument("id", metavar="ID")
    add.add_argument("url", metavar="URL", help="camera, URL or file")
    add.add_argument("--set", metavar="KEY=VALUE", nargs="+", action="extend", default=[], dest="sets",
        help="a value of the stream, such as max_fps=10")  # fmt: skip
    verb(verbs, "set", _set, "change values by dotted path").add_argument("values", metavar="PATH=VALUE", nargs="+")
    verb(verbs, "unset", _unset, "remove areas").add_argument("paths", metavar="PATH", nargs="+")
    verb(verbs, "reload", _reload, "apply what changed in the configuration file")
    verb(verbs, "status", _status, "tell of streams, nodes and queues")
    health = verb(verbs, "health", _health, "tell whether frames come out; exit code 1 if not")
    health.add_argument("--stream", metavar="ID", help="ask for this stream alone")
    return parser
