"""Styles are written and read as text."""

import pytest

from scenes.style import FULL, PLAIN, Style


@pytest.mark.parametrize(
    "text",
    ["plain", "full", "hair+lens", "full-hair", "full-hair-lens", "salience", "full-hair+tilt", "tableware+tilt"],
)
def test_text_is_read_back(text: str) -> None:
    assert str(Style.parse(text)) == text
    assert Style.parse(str(Style.parse(text))) == Style.parse(text)


def test_groups_are_left_out_one_by_one() -> None:
    assert not FULL.without("hair").hair
    assert FULL.without("hair").lens
    assert Style.parse("hair").without("hair") == PLAIN


def test_full_is_what_it_was_when_sets_were_published_with_it() -> None:
    assert not FULL.tableware
    assert not FULL.tilt
    assert Style.parse("full+tilt").without("tilt") == FULL


@pytest.mark.parametrize("text", ["", "full-none", "hair+beard", "plain+hair"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected plain, full"):
        Style.parse(text)
