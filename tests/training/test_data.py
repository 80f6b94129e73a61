"""Rendered sets on disk: named by style and seeds, gone on with, used again, refused when they are of another form."""

from pathlib import Path

import numpy as np
import pytest

from scenes.style import FULL, PLAIN, Style
from training import data
from training.augment import People
from training.data import NOT_RENDERED, SeedSet, open_set, rendered


@pytest.mark.parametrize(
    ("text", "style", "folder"),
    [
        ("plain:1000000+24", PLAIN, "stills-plain-1000000-24"),
        ("full:3+1", FULL, "stills-full-3-1"),
        ("hair+lens:7+2", Style(hair=True, lens=True), "stills-hair+lens-7-2"),
        ("full-hair:7+2", FULL.without("hair"), "stills-full-hair-7-2"),
    ],
)
def test_sets_are_read_and_have_folders_of_their_own(text: str, style: Style, folder: str) -> None:
    chosen = SeedSet.parse("stills", text)

    assert chosen.style == style
    assert chosen.folder(Path("root")) == Path("root", folder)
    assert f"{chosen.style}:{chosen.first}+{chosen.count}" == text


@pytest.mark.parametrize("text", ["1000000+24", "plain:1000000", "plain:1000000-24", "plain:-1+2", "plain:1+0", ""])
def test_sets_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        SeedSet.parse("crops", text)

    assert str(caught.value) == f"crops: expected STYLE:FIRST+COUNT such as full:3000000+6000, got {text!r}"


def test_a_style_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="expected plain, full, groups"):
        SeedSet.parse("crops", "beards:1+2")


def test_a_row_is_a_function_of_its_seed_and_what_is_rendered_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, other = rendered("crops", ["plain:50+3", "plain:52+1"], tmp_path, processes=1)
    np.testing.assert_array_equal(whole.pictures[2], other.pictures[0])
    assert whole.truth[2].tobytes() == other.truth[0].tobytes()

    whole.pictures[0] = 7
    whole.count[1] = NOT_RENDERED
    monkeypatch.setattr(data, "ProcessPoolExecutor", AtOnce)
    (again,) = rendered("crops", ["plain:50+3"], tmp_path)

    assert again.ready().tolist() == [0, 1, 2]
    assert AtOnce.rendered == [[1]]
    assert (again.pictures[0] == 7).all()


class AtOnce:
    """Stands in for a pool of processes, and notes what it was given."""

    rendered: list[list[int]] = []  # noqa: RUF012

    def __init__(self, processes: int, initializer: object) -> None:
        self.processes = processes

    def __enter__(self) -> "AtOnce":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work, *columns):  # type: ignore[no-untyped-def]
        for chosen, rows, root in zip(*columns, strict=True):
            self.rendered.append(rows)
            yield work(chosen, rows, root)


def test_sets_are_split_among_all_processes() -> None:
    assert data.chunks(np.arange(5), 2) == [[0, 1, 2], [3, 4]]
    assert [len(part) for part in data.chunks(np.arange(1000), 2)] == [50] * 20


def test_a_still_is_read_back_as_people(tmp_path: Path) -> None:
    rows = open_set(SeedSet.parse("stills", "plain:7+1"), tmp_path)
    assert rows.ready().tolist() == []
    rows.truth["head_vector"][0, 1] = (0, 0, -1)
    rows.truth["gaze_vector"][0, 1] = (1, 0, 0)
    rows.truth["face_visible"][0, 1] = 0.5

    people = People.of_row(rows.truth[0], 2)

    assert people.vectors.tolist() == [[0] * 6, [0, 0, -1, 1, 0, 0]]
    assert people.face_visible.tolist() == [0, 0.5]


def test_a_set_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stills-plain-1-2" / "count.npy"
    path.parent.mkdir()
    np.save(path, np.zeros(5, np.int16))

    with pytest.raises(ValueError) as caught:
        open_set(SeedSet.parse("stills", "plain:1+2"), tmp_path)

    assert str(caught.value) == f"{path}: expected (2,) int16, got (5,) int16; delete the folder"


def test_who_names_sets_of_one_kind_gets_none_of_the_other() -> None:
    assert data.sets_to_render(None, ["plain:1+2"]) == {"crops": [], "stills": ["plain:1+2"]}
    assert data.sets_to_render(["full:1+2"], None) == {"crops": ["full:1+2"], "stills": []}


def test_who_names_no_set_gets_those_of_the_recipe() -> None:
    assert all(data.sets_to_render(None, None).values())
