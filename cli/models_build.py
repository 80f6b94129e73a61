"""`run_graph.py models build GRAPH [options]`: build the engines that a run needs, ahead of it."""

from __future__ import annotations

from collections.abc import Sequence

from cli.fetch_first import fetch_first
from cli.log_format import set_up
from cli.options import option_parser
from cli.plan import Plan, make_plan
from cli.program import DONE, FAILED, ROOT
from pipeline.backends.acceleration import Acceleration, acceleration
from pipeline.errors import ConfigError
from pipeline.lineage import cards
from pipeline.node import Context


def main(argv: Sequence[str]) -> int:
    """Build engines and return the exit code: 1 when a model has none.

    Takes the options of a run, because engines depend on them: on what nodes ask of models, on precision and extents.

    Raises:
        PipelineError: graph, configuration or options are wrong, or a model is.
    """
    parser = option_parser()
    parser.prog, parser.usage = "run_graph.py models build", "run_graph.py models build GRAPH [options of a run]"
    parser.description, parser.epilog = __doc__.partition(": ")[2], None
    args = parser.parse_args(argv)
    set_up(args.log)
    plan = make_plan(args)
    engines = acceleration(plan.config.engine, plan.device, live=False)
    if engines is None:
        raise ConfigError(
            f"models build: expected a backend that has engines, got {plan.config.engine.backend!r}; add --backend "
            "tensorrt or --backend onnxruntime-tensorrt"
        )
    fetch_first(plan.cards, plan.offline)
    without = False
    for model, has in _opened(plan, engines).items():
        without |= not has
        print(f"{model}: {'its engine is here' if has else 'no engine; why is told above'}")
    print(f"engines lie in {engines.folder}")
    return FAILED if without else DONE


def _opened(plan: Plan, engines: Acceleration) -> dict[str, bool]:
    """Open the models of a graph as its nodes do, and return which of them an engine runs."""
    found: dict[str, bool] = {}
    for spec in plan.graph.nodes:
        if spec.begins_stage and cards(spec.config):
            context = Context(spec.name, plan.device, plan.out, ROOT, plan.graph, acceleration=engines)
            node = spec.cls(spec.config, context)
            try:
                node.open()
                found |= {name: one is not None and one.by_engine for name, one in engines.models.items()}
                engines.models.clear()
            finally:
                node.close()
    return found
