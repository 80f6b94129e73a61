"""Which functions are for which arrays."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from pipeline.namespaces import namespace, picked


def test_an_array_names_its_namespace() -> None:
    assert namespace(np.zeros(2)) is np


def test_one_that_does_not_has_that_of_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("farther")
    monkeypatch.setitem(sys.modules, "farther", package)
    kind = type("ndarray", (), {"__module__": "farther.inside.core"})

    assert namespace(kind()) is package


def test_rows_are_picked_by_mask_and_by_index() -> None:
    array = np.arange(6).reshape(3, 2)

    assert picked([array, array[:, 0]], np.array([2, 0]))[1].tolist() == [4, 0]
    assert picked([array], np.array([False, True, False]))[0].tolist() == [[2, 3]]
