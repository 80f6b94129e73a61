"""Adapt the shipped detector to your cameras with footage that nobody labelled: python -m training.adapt.

    python -m training.adapt --footage my_clips --out out/adapted
    python run_graph.py graphs/retail.yaml --set people.model=out/adapted/people-adapted.onnx

The detector labels the footage itself where several views and the frames around agree, and heads of those who walk by
where they go, and learns from that beside rendered stills. Part of the footage is held back. Where figures are worse
there or on rendered stills, less of what was learnt is taken; where they still are, no model is written, and the exit
code is 1. docs/adapt.md tells more.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.outputs import make_folder
from training.adapt_checks import check_arguments, check_checkpoint, check_people, check_record, check_room
from training.adapt_files import report_of, ship, write_card, write_model
from training.adapt_report import MARGIN, Figures, objections, on_footage, on_stills, table
from training.adapt_training import forget_states, learn, weights_of
from training.blend import between
from training.cards import DETECTOR_FILE
from training.data import SeedSet, rendered
from training.footage import files_of
from training.labelled_footage import Plan, keep_labels, label_footage, training_frames
from training.recipe import ROOT
from training.record import MODELS, set_up, write_yaml
from training.shipped_weights import read_detector
from training.teacher import Detector, Scores

logger = logging.getLogger(__name__)

FILE = "people-adapted.onnx"
WORSE, WRONG_INPUT = 1, 2
_PARTS = 1.0, 0.75, 0.5, 0.25
_STILLS, _HELD_OUT, _CALIBRATION = "full:3000000+1000", "full:9000000+200", "full:9200000+200"


def main(given: Sequence[str] | None = None) -> int:
    """Adapt and return the exit code."""
    arguments = command_line().parse_args(given)
    try:
        return adapt(arguments)
    except (PipelineError, ValueError) as error:
        logger.error("%s", error)
        return WRONG_INPUT


def adapt(arguments: argparse.Namespace) -> int:
    """Label, train, measure; write the model if it is no worse.

    Raises:
        PipelineError: what was given cannot be used; says what and why.
        ValueError: the same, of sets of stills and unfinished runs.
    """
    device = set_up(arguments.seed)
    check_arguments(arguments)
    check_record(arguments)
    files_of(arguments.footage)
    graph = read_detector(arguments.model)
    out: Path = make_folder(arguments.out)
    texts = [*arguments.stills, arguments.held_out, arguments.calibrate]
    check_room([SeedSet.parse("stills", text) for text in texts], arguments.rendered)
    scores = Scores(arguments.accept, arguments.ignore)
    plan = Plan(arguments.per_second, arguments.most, scores, arguments.still_s, arguments.hold_back)
    clips = label_footage(arguments.footage, Detector(arguments.model), plan)
    check_people(clips, arguments.footage)
    if arguments.keep_labels:
        keep_labels(clips, out / "labels")
    check_checkpoint(out, clips, arguments)
    *stills, held_out, judged = rendered("stills", texts, arguments.rendered)
    before = {"footage": on_footage(arguments.model, clips, arguments.still_s)}
    before["stills"] = on_stills(arguments.model, held_out)
    net = graph.detector
    begun = weights_of(net)
    learnt, outcome = learn(net, arguments, stills, training_frames(clips), device)
    candidate = out / f"candidate-{FILE}"

    def with_part(part: float) -> Figures:
        net.load_state_dict(between(begun, learnt, part))
        write_model(graph, candidate, judged, held_out)
        return {"footage": on_footage(candidate, clips, arguments.still_s), "stills": on_stills(candidate, held_out)}

    part, after, against = _taken(with_part, arguments.parts, before, arguments.margin)
    report = report_of(arguments, clips, outcome, before, after, against, part)
    write_yaml(out / "report.yaml", report, "What adapting changed; written by python -m training.adapt.")
    forget_states(arguments)
    sys.stdout.write(table(before, after))
    if against:
        candidate.unlink()
        logger.error("%s", "\n".join(["no model written, because it would be worse:", *against]))
        return WORSE
    candidate.replace(out / FILE)
    write_card(out / FILE, report)
    if arguments.ship:
        ship(out / FILE, report, arguments.model, arguments.ship)
    logger.info("written: %s; use it with --set people.model=%s", out / FILE, out / FILE)
    return 0


def _taken(
    with_part: Callable[[float], Figures], parts: Sequence[float], before: Figures, margin: float
) -> tuple[float, Figures, list[str]]:
    """Return the part of what was learnt that is taken, the figures with it, and what speaks against it, if all do."""
    for part in parts:
        after = with_part(part)
        against = objections(before, after, margin)
        if not against:
            break
        logger.info("with %g of what was learnt it would be worse: %s", part, "; ".join(against))
    return part, after, against


def command_line() -> argparse.ArgumentParser:
    """Return the options of the program."""
    parser = argparse.ArgumentParser(prog="python -m training.adapt", description=(__doc__ or "").split("\n\n")[0])
    add = parser.add_argument
    add("--footage", type=Path, required=True, metavar="DIR", help="clips and stills of your cameras")
    add("--out", type=Path, required=True, metavar="DIR", help="gets the model, its card and the report")
    add("--model", type=Path, default=MODELS / DETECTOR_FILE, help="to start from; default: the shipped detector")
    add("--per-second", type=float, default=2.0, help="frames taken of a second of a clip; default 2")
    add("--most", type=int, default=120, help="frames of a clip at most; default 120")
    add("--hold-back", choices=("ends", "clips"), default="ends", help="what is not trained on; default: ends of clips")
    add("--accept", type=float, default=0.5, help="score over all views from which on a box is right; default 0.5")
    add("--ignore", type=float, default=0.15, help="score below which a box is background; default 0.15")
    add("--still-s", type=float, default=20.0, help="clips this long show what never moves, seconds; default 20")
    add("--steps", type=int, default=1200)
    add("--rate", type=float, default=3e-4, help="learning rate")
    add("--times", type=int, default=1, help="trainings, each from a seed of its own; their mean is taken; default 1")
    parts = (
        "of what was learnt, tried in this order; the first that makes nothing worse is taken; default 1 to a quarter"
    )
    add("--parts", type=float, nargs="+", default=_PARTS, metavar="PART", help=parts)
    add("--only-heads", action="store_true", help="learn what is told of heads; people are found as before")
    add("--share", type=float, default=0.3, help="share of footage in each batch; default 0.3")
    add("--margin", type=float, default=MARGIN, help="average precision on stills that may be lost; default 0.02")
    several = f"rendered beside it, one set or several; default {_STILLS}"
    add("--stills", nargs="+", default=[_STILLS], metavar="STYLE:FIRST+COUNT", help=several)
    add("--held-out", default=_HELD_OUT, metavar="STYLE:FIRST+COUNT", help=f"to measure with; default {_HELD_OUT}")
    add("--calibrate", default=_CALIBRATION, metavar="STYLE:FIRST+COUNT", help=f"for scores; default {_CALIBRATION}")
    add("--rendered", type=Path, default=ROOT, metavar="DIR", help=f"where rendered stills are kept; default {ROOT}")
    add("--workers", type=int, default=1, help="processes that draw batches ahead; default 1")
    add("--seed", type=int, default=0)
    add("--ship", metavar="WHOSE", help="replace the shipped detector; whose footage it is, under which licence")
    add("--keep-labels", action="store_true", help="write the frames with their boxes to OUT/labels, to be looked at")
    return parser


if __name__ == "__main__":
    sys.exit(main())
