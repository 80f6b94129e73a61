"""Run a graph: one run for each file, one for all live streams; results, and what the exit code is."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pipeline.runtime import Runtime

from cli.interrupt import interrupting
from cli.options import option_parser
from cli.plan import Plan, describe, make_plan
from cli.program import DONE, FAILED, INTERRUPTED, ROOT
from cli.progress import Progress
from cli.results import Results, fingerprint
from pipeline.errors import SourceError
from pipeline.frames import Stream
from pipeline.urls import redact


def main(argv: Sequence[str]) -> int:
    """Run `GRAPH [options]` and return the exit code.

    Raises:
        PipelineError: graph, configuration, options, inputs or models are wrong.
    """
    args = option_parser().parse_args(argv)
    plan = make_plan(args)
    if args.check:
        print(describe(plan))
        return DONE
    codes = []
    for streams in _groups(plan.streams):
        codes.append(_run_group(plan, streams))
        if codes[-1] == INTERRUPTED:
            break
    return INTERRUPTED if INTERRUPTED in codes else max(codes)


def _groups(streams: list[Stream]) -> list[list[Stream]]:
    """Split streams into runs: each file alone, then all live streams together."""
    live = [stream for stream in streams if stream.live]
    return [*([stream] for stream in streams if not stream.live), *([live] if live else [])]


def _run_group(plan: Plan, streams: list[Stream]) -> int:
    options = (plan.max_frames, plan.config.engine, sorted(plan.replay.items()))
    results = {
        stream.id: Results(plan.out / stream.id, fingerprint(plan.graph, stream, options, ROOT)) for stream in streams
    }
    names = ", ".join(stream.id for stream in streams)
    if not plan.record and not streams[0].live and all(each.finished() for each in results.values()):
        folder = results[streams[0].id].folder
        _tell(f"{names}: finished before, results in {folder}/; to run it again, delete {folder}/summary.json")
        return DONE
    for each in results.values():
        each.begin()
    progress = Progress(plan.graph, names)
    runtime = Runtime(
        plan.graph,
        streams,
        plan.config.engine,
        device=plan.device,
        out_dir=plan.out,
        root=ROOT,
        record=plan.record,
        replay=plan.replay,
        max_frames=plan.max_frames,
    )
    try:
        with interrupting(runtime.interrupt):
            report = runtime.run(progress.observe)
    except SourceError as exc:
        _tell(redact(str(exc)))
        return FAILED
    finally:
        progress.finish()
    for stream in streams:
        results[stream.id].finish(stream, plan.graph, report.to_dict())
    print(report.table())
    for each in results.values():
        for path in each.files():
            print(path)
    if report.error:
        _tell(redact(report.error))
    return {"done": DONE, "failed": FAILED, "interrupted": INTERRUPTED}[report.status]


def _tell(line: str) -> None:
    print(line, file=sys.stderr)
