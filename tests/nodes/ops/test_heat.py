import numpy as np

from nodes.ops.heat import hottest, lay_heat


def test_of_many_maps_the_hottest_is_shown_as_far_as_it_is_in_the_frame() -> None:
    maps = np.array([[[1.0, 0.4]], [[0.8, 0.6]]], np.float32)

    assert hottest(maps, np.array([0.5, 1.0], np.float32)).tolist() == np.float32([[0.8, 0.6]]).tolist()
    assert hottest(maps, np.array([1.0, 0.0], np.float32)).tolist() == np.float32([[1.0, 0.4]]).tolist()


def test_heat_tints_where_it_is_hot_and_nothing_else() -> None:
    image, heat = np.full((120, 160, 3), 100, np.uint8), np.zeros((8, 8))
    heat[1:4, 5:8] = 1.0  # pixels 15 to 60, 100 to 160

    lay_heat(image, heat, share=0.7)

    assert (image[90:] == 100).all()
    assert (image[:, :60] == 100).all()
    # Inferno ends in a pale yellow: (164, 255, 252) as BGR; 0.7 of it over 0.3 of the picture.
    assert np.abs(image[37, 130].astype(int) - np.array([145, 208, 206])).max() < 12


def test_no_heat_leaves_the_picture_alone() -> None:
    image = np.arange(120 * 160 * 3, dtype=np.uint32).astype(np.uint8).reshape(120, 160, 3)
    before = image.copy()

    lay_heat(image, np.zeros((64, 64), np.float32), share=0.7)

    assert (image == before).all()


def test_heat_over_one_is_as_hot_as_it_gets() -> None:
    one, more = (np.full((40, 40, 3), 100, np.uint8) for _ in range(2))

    lay_heat(one, np.ones((4, 4)), share=0.5)
    lay_heat(more, np.full((4, 4), 9.0), share=0.5)

    assert (one == more).all()
