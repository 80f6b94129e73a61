"""Before a run: fetch the model files that its nodes name and that are not here, or say why that is not done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from logging import WARNING

from cli.log_format import tell
from cli.model_states import size_text
from cli.model_store import opened_store
from pipeline.errors import ConfigError, PipelineError
from pipeline.feed import below_the_cut
from pipeline.graph import Graph
from pipeline.lineage import cards
from pipeline.model_files.checking import COMMAND


def cards_to_open(graph: Graph, replay: Mapping[str, object]) -> list[str]:
    """Return the model cards that the nodes of a run name, each once.

    Args:
        graph: the whole graph.
        replay: edges that are read from recordings: nodes above them are not run.
    """
    run = below_the_cut(graph, replay)
    return list(dict.fromkeys(card for spec in run.nodes for card in cards(spec.config)))


def check_offline(names: Iterable[str], offline: bool) -> None:
    """Refuse a run without a network whose files are not here.

    Raises:
        ConfigError: what is missing and how to get it, one line each.
    """
    with opened_store(offline) as store:
        missing = store.missing(names) if store.settings.offline else []
        if reasons := [reason for one in missing if (reason := store.offline(one))]:
            raise ConfigError("\n".join(reasons))


def to_be_fetched(names: Iterable[str]) -> list[str]:
    """Return what would be fetched, from where and how large it is, one line each."""
    lines = []
    with opened_store() as store:
        for one in store.missing(names):
            size = size_text(one.card.bytes) if one.card.bytes else "of unknown size"
            inside = ", in this archive" if one.card.member else ""
            lines.append(f"{one.name}  from {one.card.url}{inside}, {size}, to {one.place}")
            if store.licence(one):
                lines.append(f"  its licence must be accepted before: {COMMAND} pull {one.name} --accept-licence")
    return lines


def fetch_first(names: Iterable[str], offline: bool) -> None:
    """Fetch what is missing, and keep to the checksums of files whose makers told none.

    Raises:
        ConfigError: something may not be fetched; says so of all before anything is.
        FetchError: it cannot be had.
        PipelineError: it cannot be written.
    """
    names = list(names)
    with opened_store(offline) as store:
        missing = store.missing(names)
        if reasons := [reason for one in missing if (reason := store.why_not(one))]:
            raise ConfigError("\n".join(reasons))
        for one in missing:
            tell(f"{one.name}: fetched before the run, from {one.card.url}")
            tell(store.get(one))
        for name in names:
            try:
                told = store.keep_to(name)
            except PipelineError as error:
                told = None
                tell(f"{name}: its checksum is not kept to: {error}", WARNING)
            if told:
                tell(told)
