"""What a family of detectors must tell: what it finds, and how its outputs are read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from nodes.ops.detected import Rows
from nodes.ops.wholebody import NAMES
from pipeline.card_contract import fits
from pipeline.errors import ModelError
from pipeline.session import Session

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int | str | None, ...]

_LABEL = {name.replace("-", "_"): label for label, name in enumerate(NAMES)}


class Unfit(ModelError):
    """A model does not have the outputs of its family; the text is `expected ..., got ...`."""


class Family(ABC):
    """Reads the outputs of one family of detectors."""

    labels: tuple[int, ...]
    """What it finds, numbered as in `ops.wholebody.NAMES`, each once, rising."""
    outputs: tuple[str, ...]
    """Names of the outputs that are read."""
    unknown: tuple[str, ...] = ()
    """Classes of the card that are left out, because nothing here knows them."""

    @classmethod
    @abstractmethod
    def of(cls, session: Session) -> Self:
        """Return how the outputs of an opened model are read.

        Raises:
            Unfit: they are not those of the family.
        """

    @abstractmethod
    def rows(self, outputs: Mapping[str, Array], picture: int, min_score: Array) -> Rows:
        """Return what was seen in one picture, finite, in fractions of the model's input.

        Args:
            outputs: of one call, on the host.
            picture: its number in the call.
            min_score: by label; rows with a lower score may be left out.
        """

    def full_at(self, outputs: Mapping[str, Array], picture: int) -> float:
        """Return the lowest score of a picture whose rows are all used up; 0 while there is room for more."""
        return 0.0


def label_table(classes: Mapping[int, str]) -> tuple[Array, tuple[str, ...]]:
    """Return our label for each label of a card (K,) int64, -1 where there is none, and the names we do not know."""
    table = np.full(max(classes, default=-1) + 1, -1, np.int64)
    for label, name in classes.items():
        table[label] = _LABEL.get(name.replace("-", "_"), -1)
    return table, tuple(name for label, name in sorted(classes.items()) if table[label] < 0)


def known_labels(table: Array) -> tuple[int, ...]:
    """Return our labels that a table leads to, each once, rising."""
    return tuple(np.unique(table[table >= 0]).tolist())


def shapes_of(session: Session) -> dict[str, Shape]:
    """Return the shapes of the outputs of the contract, in the order of the file."""
    return {name: shape for name, (shape, _) in session.outputs.items() if name in session.card.contract.outputs}


def only_output(session: Session, columns: int | None, what: str) -> str:
    """Return the name of the only output, which has three axes and, of the last, so many columns.

    Raises:
        Unfit: it has not.
    """
    shapes = shapes_of(session)
    for name, shape in shapes.items():
        if len(shapes) == 1 and fits(shape, (None, None, columns)):
            return name
    raise Unfit(f"expected {what}, got {worded(shapes)}")


def worded(shapes: Mapping[str, Sequence[Any]]) -> str:
    """Return names and shapes as one says them."""
    return ", ".join(f"{name!r} [{', '.join(map(str, shape))}]" for name, shape in shapes.items()) or "none"
