"""`run_graph.py models show NAME`: all about a model, from where it comes to how it is used."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping, Sequence

from cli import program
from cli.model_states import Known, known, size_text
from cli.models_list import figure_text
from cli.program import DONE
from pipeline.card_contract import TensorSpec
from pipeline.cards import ModelCard, no_file
from pipeline.model_files.folders import fetched_folder, prepared_folder
from pipeline.model_files.pins import FILE

WIDTH, INDENT = 120, 12
USES = {
    **dict.fromkeys(("wholebody34", "wholebody25"), ("graphs/wholebody.yaml", "parts.model")),
    **dict.fromkeys(("yolox", "boxes", "yunet", "scrfd"), ("graphs/retail.yaml", "people.model")),
    "gazelle": ("graphs/retail.yaml", "gaze.model"),
    "head_pose": ("graphs/retail.yaml", "poses.model"),
}
"""By family, a graph and the value in it that names such a model."""
FACES = "graphs/faces.yaml"
"""The graph for detectors of faces."""
STAGES = {
    "appearance": ("estimate_appearance", "model"),
    "face_gaze": ("estimate_face_gaze", "model"),
    "eye_gaze": ("estimate_face_gaze", "model"),
    "face_landmarks": ("estimate_face_gaze", "landmarks"),
}
"""By family, a stage that is in no graph of ours, and its value that names such a model."""


def main(argv: Sequence[str]) -> int:
    """Print all about a model.

    Raises:
        ConfigError: there is no such card, or it is wrong; suggests one.
    """
    parser = argparse.ArgumentParser(prog="run_graph.py models show", description=__doc__.partition(": ")[2])
    parser.add_argument("name", metavar="NAME", help="a model, as `run_graph.py models list` lists them, or a card")
    one = known(parser.parse_args(argv).name, program.ROOT)
    print("\n".join(_line(word, text) for word, text in _told(one) if text))
    return DONE


def _told(one: Known) -> list[tuple[str, str]]:
    card = one.card
    return [
        (one.name, card.title),
        ("family", card.family),
        ("here", _here(one)),
        ("from", _origin(card)),
        ("made by", card.convert),
        ("page", card.page),
        ("size", size_text(one.bytes)),
        ("sha256", _checksum(card)),
        ("licence", card.licence or "unknown"),
        ("forbids", card.forbids),
        ("trained on", card.trained_on),
        ("input", _input(card)),
        *_tensors("takes", card.contract.inputs),
        *_tensors("gives", card.contract.outputs),
        ("classes", ", ".join(f"{label} {name}" for label, name in sorted(card.classes.items()))),
        *(("published" if number == 0 else "", figure_text(each)) for number, each in enumerate(card.published)),
        ("prepared", ", ".join(_prepared(one))),
        ("use it", _use(one)),
    ]


def _here(one: Known) -> str:
    return (
        f"{one.path} ({one.state})" if one.path.is_file() else f"no; {no_file(one.card, one.path).partition('; ')[2]}"
    )


def _origin(card: ModelCard) -> str:
    inside = f", {card.member!r} in it" if card.member else ""
    return f"{card.url}{inside}" if card.url else ""


def _checksum(card: ModelCard) -> str:
    if card.sha256 is None:
        return "pinned on first use, because its makers tell none" if card.url else "any"
    pinned = f", pinned in {fetched_folder(program.ROOT) / FILE}" if card.pinned else ""
    return f"{card.sha256}{pinned}"


def _input(card: ModelCard) -> str:
    return f"{card.input_size_wh[0]}×{card.input_size_wh[1]} pixels" if card.input_size_wh else "pictures of any size"


def _tensors(word: str, specs: Mapping[str, TensorSpec]) -> list[tuple[str, str]]:
    told = []
    for name, spec in specs.items():
        bounds = f", {spec.range[0]:g} to {spec.range[1]:g}" if spec.range else ""
        optional = ", may be left out" if spec.optional else ""
        told.append(f"{name}: {spec.dtype} [{', '.join(map(str, spec.shape))}]{bounds}{optional}")
    return [(word if number == 0 else "", text) for number, text in enumerate(told)]


def _prepared(one: Known) -> list[str]:
    """Return the names of the files that were made of a model."""
    name = one.card.name
    made = sorted(prepared_folder(program.ROOT).glob(f"{name}.*.yaml"))
    return [f"{one.name}:{path.stem.removeprefix(f'{name}.')}" for path in made]


def _use(one: Known) -> str:
    family = one.card.family
    if family in USES:
        graph, value = USES[family]
        graph = FACES if set(one.card.classes.values()) == {"face"} else graph
        return f"python run_graph.py {graph} --set {value}={one.name}"
    if family in STAGES:
        stage, value = STAGES[family]
        return f"in a graph of yours, as `{value}: {one.name}` of a stage {stage}: python run_graph.py explain {stage}"
    return f"no stage that ships takes models of the family {family}"


def _line(word: str, text: str) -> str:
    first = f"{word:<{INDENT}}" if len(word) < INDENT else f"{word}  "
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
