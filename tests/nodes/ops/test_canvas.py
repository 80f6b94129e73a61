import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops import canvas as module
from nodes.ops.canvas import Canvas, overlaps, printable
from nodes.ops.colours import BLACK, WHITE

RED = (0, 0, 255)


def blank(width: int = 640, height: int = 360) -> Canvas:
    return Canvas(np.full((height, width, 3), 90, np.uint8))


def changed(canvas: Canvas) -> np.ndarray:
    """Return (H, W) bool: pixels drawn on."""
    return (canvas.image != 90).any(axis=2)


def test_a_box_is_drawn_on_its_edges_only() -> None:
    canvas = blank()

    canvas.box([0.25, 0.25, 0.75, 0.75], RED)

    assert canvas.image[180, 160].tolist() == list(RED)
    assert canvas.image[90, 320].tolist() == list(RED)
    assert not changed(canvas)[100:260, 170:470].any()
    assert not changed(canvas)[:80].any()


def test_brackets_leave_the_middle_of_the_edges_free() -> None:
    canvas = blank()

    canvas.brackets([0.25, 0.25, 0.75, 0.75], RED)

    assert canvas.image[90, 165].tolist() == list(RED)
    assert not changed(canvas)[85:95, 250:390].any()


def test_a_path_has_a_dark_edge() -> None:
    canvas = blank()

    canvas.path([(0.1, 0.5), (0.9, 0.5)], RED, width=3)

    assert canvas.image[180, 320].tolist() == list(RED)
    assert canvas.image[150:178, 320].max(axis=1).min() < 80
    assert canvas.image[182:210, 320].max(axis=1).min() < 80


def test_a_wash_tints_the_inside_by_its_share() -> None:
    canvas = blank()

    canvas.wash([[(0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0)]], (190, 190, 190), 0.5)

    assert (canvas.image[200:, 340:] == 140).all()
    assert not changed(canvas)[:180].any()
    assert not changed(canvas)[:, :320].any()


def test_a_wash_leaves_holes_alone() -> None:
    canvas = blank()

    outline = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    canvas.wash([outline, [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]], (190, 190, 190), 0.5)

    height, width = canvas.image.shape[:2]
    assert changed(canvas)[height // 8, width // 2]
    assert not changed(canvas)[height // 2, width // 2]


def test_what_lies_outside_the_picture_leaves_it_alone() -> None:
    canvas = blank()

    canvas.box([-0.9, -0.9, -0.5, -0.5], RED)
    canvas.brackets([1.5, 1.5, 1e9, 1e9], RED)
    canvas.path([(1.5, 1.5), (1e12, 1e12)], RED)
    canvas.dot((-0.5, 0.5), RED)
    canvas.wash([[(1.2, 0.1), (1.4, 0.1), (1.4, 0.4)]], RED, 0.5)
    canvas.arrow((2.0, 2.0), (0.5, 0.5), 10, 30, RED)

    assert not changed(canvas).any()


@pytest.mark.parametrize("toward", [(1.0, 0.0), (0.0, 1.0)])
def test_an_arrow_leaves_its_centre_free(toward: tuple[float, float]) -> None:
    canvas = blank()

    canvas.arrow((0.5, 0.5), toward, 20, 60, RED)

    drawn = np.argwhere((canvas.image == RED).all(axis=2)) - [180, 320]
    along = drawn @ np.array(toward)[::-1]
    assert along.min() >= 18 and 58 <= along.max() <= 62


LABELS = st.lists(
    st.tuples(st.floats(-1, 2), st.floats(-1, 2), st.text("abcäß→日 ", min_size=1, max_size=40), st.booleans()),
    min_size=1,
    max_size=4,
)


@given(LABELS, st.sampled_from([(640, 360), (360, 640), (200, 120)]))
def test_labels_never_leave_the_picture(labels: list[tuple[float, float, str, bool]], size: tuple[int, int]) -> None:
    canvas = blank(*size)
    for x, y, text, above in labels:
        x1, y1, x2, y2 = canvas.label((x, y), [(text, WHITE), ("#1", BLACK)], above)

        assert 0 <= x1 < x2 <= size[0]
        assert 0 <= y1 < y2 <= size[1]


def test_labels_make_room_for_each_other() -> None:
    canvas = blank()

    places = [canvas.label((0.5, 0.5), [("#1", WHITE)]) for _ in range(5)]

    assert not any(overlaps(one, other) for one in places for other in places if one is not other)


def test_a_label_draws_within_its_place_only() -> None:
    canvas = blank()

    x1, y1, x2, y2 = canvas.label((0.98, 0.01), [("coffee", WHITE), ("#3", BLACK)])

    outside = changed(canvas)
    outside[y1:y2, x1:x2] = False
    assert not outside.any()
    assert changed(canvas)[y1:y2, x1:x2].mean() > 0.98  # a pixel of a letter may be as grey as before
    assert len(np.unique(canvas.image[y1:y2, x1:x2])) > 10  # letters, smooth ones


@pytest.mark.parametrize(("size", "factor"), [((1920, 1080), 2.25), ((3840, 2160), 4.5), ((480, 854), 1.0)])
def test_letters_and_lines_grow_with_the_picture(size: tuple[int, int], factor: float) -> None:
    small, large = blank(854, 480), blank(*size)

    heights = [place[3] - place[1] for place in (c.label((0.1, 0.5), [("#1", WHITE)]) for c in (small, large))]

    assert 14 <= heights[0] <= 24
    assert heights[1] / heights[0] == pytest.approx(factor, rel=0.15)
    assert large.line / small.line == pytest.approx(factor, rel=0.35)


def test_long_names_are_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNICODE", True)

    assert printable("a" * 28) == "a" * 28
    assert printable("a" * 29) == "a" * 27 + "…"


def test_text_is_drawn_as_it_is_where_the_font_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNICODE", True)

    assert printable("→ Käse, café 日本") == "→ Käse, café 日本"


def test_text_is_put_in_ascii_where_the_font_cannot_draw_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNICODE", False)

    assert printable("→ Käse, café, Soße 日本") == "-> Kase, cafe, Sosse ??"
    assert printable("é" * 40) == "e" * 27 + "..."
