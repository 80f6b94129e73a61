"""`run_graph.py replay DIR`: decide the events of a recorded run again, without models, pictures and video."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from cli.fetch_first import fetch_first
from cli.logs import copy_of, first_difference, kept_lines, lines_of, told
from cli.manifest import RecordedRun, read_manifest
from cli.plan import Plan
from cli.program import DONE, FAILED
from cli.replay_plan import plan_of
from cli.run import groups, name_of, run_group
from pipeline.errors import ConfigError, PipelineError
from pipeline.outputs import cannot_write, make_folder, write_atomically

MARKER = "replay.json"
EXAMPLES = """\
examples
  python run_graph.py graphs/retail.yaml --record out/rec    record a run, of files or of cameras
  python run_graph.py replay out/rec --assert                the same events again? exit code 1 if not
  python run_graph.py replay out/rec --set looks.min_look_s=1
  python run_graph.py replay out/rec --set 'streams.shop.aois.door=[[0.1,0.2],[0.3,0.2],[0.3,0.9]]'
  python run_graph.py replay out/rec --config configs/retail.yaml --out out/tuned

What a recording stands in for (finding people, their gaze) is not run again: its values stay as they were recorded.

exit codes
  0 done   1 failed, or other events with --assert   2 wrong input or configuration   130 interrupted
"""


def main(argv: Sequence[str]) -> int:
    """Run `replay DIR [options]` and return the exit code.

    Raises:
        PipelineError: the recording, values or options are wrong.
    """
    args = _parser().parse_args(argv)
    manifest = read_manifest(args.recording)
    out = args.out or Path("out/replay") / args.recording.resolve().name
    plan = plan_of(
        args.recording, manifest, config=args.config, sets=args.sets, out=out, publish=args.publish
    )  # fmt: skip
    fetch_first(plan.cards, plan.offline)
    logged = {log.file.partition("/")[0] for run in manifest.runs.values() for log in run.logs or ()}
    _make_room(plan, args.recording, logged)
    for streams in groups(plan.streams):
        name = name_of(streams)
        if manifest.runs[name].logs is None and not _began(args.recording / name, plan.replay):
            continue
        code = run_group(plan, streams)
        if code != DONE:
            return code
    same = [_compare(args.recording / name, name, run, out, args.exact) for name, run in manifest.runs.items()]
    return DONE if all(same) or not args.exact else FAILED


def _began(folder: Path, edges: Iterable[str]) -> bool:
    """Tell whether a run was recorded at all before it was killed."""
    files = [folder / f"{edge}.ticks" for edge in edges]
    return all(file.is_file() and file.stat().st_size for file in files)


def _compare(folder: Path, name: str, run: RecordedRun, out: Path, exact: bool) -> bool:
    """Say how the events of a run differ from those recorded; tell whether they are the same bytes.

    Raises:
        ConfigError: the recorded events are gone or were changed.
    """
    if run.logs is None:
        ended = f"failed ({run.ended})" if run.ended else "was killed or still goes on"
        print(f"{name}: nothing to compare with: the recorded run {ended}, so its events may not be complete")
        return False
    if not run.logs:
        print(f"{name}: nothing to compare with: the recorded run wrote no events but to others")
    same = bool(run.logs)
    for log in run.logs:
        (before, whole), after = kept_lines(log, folder), lines_of(out / log.file)
        difference = first_difference(before, after)
        if not whole:
            found = f"\ncompared with the replay, {difference}" if difference else ""
            raise ConfigError(
                f"{copy_of(log, folder)}: expected the log as it was recorded, got a changed one; record the run again"
                + found
            )
        print(f"{log.file}: {told(before, after)}{f'; {difference}' if difference and exact else ''}")
        same = same and difference is None
    return same


def _make_room(plan: Plan, recording: Path, logged: Iterable[str]) -> None:
    """Remove what an earlier replay left, and nothing else: event logs go on where they find one.

    Args:
        plan: of the replay.
        recording: the folder that is replayed.
        logged: streams that the recorded run wrote logs of: more than it began with where some were added.

    Raises:
        ConfigError: the folder holds something else, or cannot be made.
        PipelineError: it cannot be written to.
    """
    out = plan.out
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise ConfigError(f"--out {out}: expected a new folder or that of a replay, got other files; give another")
    make_folder(out)
    write_atomically(out / MARKER, json.dumps({"gazegraph": "replay", "recording": str(recording)}) + "\n")
    for stream_id in dict.fromkeys([*(stream.id for stream in plan.streams), *logged]):
        try:
            shutil.rmtree(out / stream_id)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise PipelineError(f"{out / stream_id}: {cannot_write(error)}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_graph.py replay",
        usage="run_graph.py replay DIR [options]",
        description="Decide the events of a recorded run again, without models, pictures and video, and compare them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("recording", metavar="DIR", type=Path, help="what `run_graph.py GRAPH --record DIR` wrote")
    add(
        "--set",
        metavar="NODE.KEY=VALUE",
        nargs="+",
        action="extend",
        default=[],
        dest="sets",
        help="change a value, to the end whatever changed in the recorded run; also streams.<id>.key and engine.key",
    )
    add("--config", metavar="F", type=Path, help="values to take in place of all recorded ones, to the end")
    add("--out", metavar="DIR", type=Path, help="where results go; default: out/replay/<name of the recording>")
    add("--assert", action="store_true", dest="exact", help="fail unless the events are the same, byte for byte")
    add("--publish", action="store_true", help="run what reaches out to others, too, such as publish_events")
    return parser
