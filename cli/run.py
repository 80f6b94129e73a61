"""Run a graph: one run for each file, one for all live streams; results, and what the exit code is."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from logging import ERROR
from pathlib import Path

from cli.fetch_first import fetch_first
from cli.interrupt import interrupting
from cli.log_format import is_json, set_up, tell
from cli.manifest import LIVE
from cli.options import option_parser
from cli.plan import Plan, describe, make_plan
from cli.program import DONE, FAILED, INTERRUPTED, ROOT, WRONG_INPUT
from cli.progress import Progress
from cli.recordings import NewRecording
from cli.results import Results, fingerprint
from cli.serving import Serving
from cli.sources import dated
from pipeline.control.access import access
from pipeline.frames import Stream
from pipeline.lineage import models_of
from pipeline.passes import TwoPasses
from pipeline.replayable import replayable
from pipeline.report import RunReport
from pipeline.runtime import Runtime


def main(argv: Sequence[str]) -> int:
    """Run `GRAPH [options]` and return the exit code.

    Raises:
        PipelineError: graph, configuration, options, inputs or models are wrong.
    """
    args = option_parser().parse_args(argv)
    set_up(args.log)
    plan = make_plan(args)
    open_to = access(plan.config.engine, args.serve, os.environ)
    serving = Serving(open_to, plan, partial(make_plan, args)) if open_to else None
    if args.check:
        print(describe(plan))
        return DONE
    fetch_first(plan.cards, plan.offline)
    recording = _new_recording(plan)
    codes = []
    for streams in groups(plan.streams):
        codes.append(run_group(plan, streams, recording, serving))
        if codes[-1] == INTERRUPTED:
            return INTERRUPTED
    return codes[0] if len(set(codes)) == 1 else FAILED


def groups(streams: list[Stream]) -> list[list[Stream]]:
    """Split streams into runs: each file alone, then all live streams together."""
    live = [stream for stream in streams if stream.live]
    return [*([stream] for stream in streams if not stream.live), *([live] if live else [])]


def name_of(streams: list[Stream]) -> str:
    """Return what a run is called."""
    return LIVE if streams[0].live else streams[0].id


def run_group(
    plan: Plan, streams: list[Stream], recording: NewRecording | None = None, serving: Serving | None = None
) -> int:
    """Run a graph on the streams of one run, say how it went, and return the exit code.

    Args:
        plan: what to run.
        streams: one file, or all live streams.
        recording: what the whole run is written down to.
        serving: where it can be watched and steered while it goes on.

    Raises:
        PipelineError: the run could not begin.
    """
    name = name_of(streams)
    results = [_results(plan, stream) for stream in streams]
    repeats = bool(streams[0].live or plan.record or plan.replay)
    if not repeats and results[0].finished():
        folder = results[0].folder
        tell(f"{name}: finished before, results in {folder}; to run it again, remove {results[0].summary}")
        return DONE
    for each in results:
        each.begin()
    now = datetime.now(UTC)
    begun, began_s = dated(streams, now), int(now.timestamp())
    if recording:
        recording.begin(name, begun, began_s)
    runtime = _runtime(plan, begun, name, began_s, keep_open=serving is not None)
    with ExitStack() as around:
        if serving:
            around.enter_context(serving.around(runtime))
        report = _run(runtime, Progress(plan.graph, ", ".join(stream.id for stream in streams), plan.max_frames))
    for stream in _added(runtime, streams):
        streams = [*streams, stream]
        results.append(_results(plan, stream))
    for each, stream in zip(results, streams, strict=True):
        each.finish(stream, plan.graph, report.to_dict())
    if recording:
        recording.finish(name, report, _event_files(plan, runtime), plan.out)
    if report.frames or not report.error:
        print(report.table())
        for each in results:
            print(*(each.files() if report.reached_sinks else [each.summary]), sep="\n")
    if report.error:
        tell(report.error, ERROR)
    if not report.reached_sinks and not report.bad_input:
        tell(f"{name}: ended before its second pass, in which results are written: there are none")
    if report.status == "failed":
        return WRONG_INPUT if report.bad_input else FAILED
    return DONE if report.status == "done" else INTERRUPTED


def _added(runtime: Runtime | TwoPasses, streams: list[Stream]) -> list[Stream]:
    """Return the streams that were added while the graph ran, and are still there."""
    if isinstance(runtime, TwoPasses):
        return []
    begun = {stream.id for stream in streams}
    return [stream for stream in runtime.streams().values() if stream.id not in begun]


def _runtime(plan: Plan, streams: list[Stream], name: str, began_s: int, keep_open: bool) -> Runtime | TwoPasses:
    """Make a run; one of live streams that is `keep_open` goes on when the last of them was removed."""
    make: Callable[..., Runtime | TwoPasses] = Runtime
    if streams[0].live:
        make = partial(Runtime, keep_open=keep_open)
    if plan.second_pass and streams[0].live:
        tell(f"{name}: run in one pass: {plan.second_pass.switches} is for files, because live streams have no end")
    elif plan.second_pass:
        make = partial(TwoPasses, plan.second_pass, plan.out / name / ".passes")
    return make(
        plan.graph,
        streams,
        plan.config.engine,
        device=plan.device,
        out_dir=plan.out,
        root=ROOT,
        record={edge: folder / name for edge, folder in plan.record.items()},
        ahead=replayable(plan.graph).below if plan.recording else (),
        replay={edge: folder / name for edge, folder in plan.replay.items()},
        held=plan.held,
        max_frames=plan.max_frames,
        began_s=began_s,
        models=plan.models,
    )


def _run(runtime: Runtime | TwoPasses, progress: Progress) -> RunReport:
    try:
        with interrupting(runtime.interrupt):
            return runtime.run(None if is_json() else progress.observe)
    finally:
        progress.finish()


def _new_recording(plan: Plan) -> NewRecording | None:
    if plan.recording is None:
        return None
    edges = replayable(plan.graph).edges
    return NewRecording(plan.recording, plan.graph, plan.config, edges, models_of(plan.graph, ROOT))


def _event_files(plan: Plan, runtime: Runtime | TwoPasses) -> list[Path]:
    """Return the logs of events that a run wrote and that a replay writes, too."""
    graph = plan.graph
    return runtime.outputs(name for name in replayable(graph).below if not graph.node(name).cls.reaches_out)


def _results(plan: Plan, stream: Stream) -> Results:
    return Results(plan.out / stream.id, fingerprint(plan.graph, stream, (plan.max_frames, plan.config.engine), ROOT))
