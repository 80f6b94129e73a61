"""Where peaks come out: Gaussian hills through the last layers of gaze files, against what the trained network shows.

The reference is the map that upstream trained and scored: bilinear from the cells of the network to those of the
output, its top placed between the cells. Distances are in fractions of the frame.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nodes.ops.heatmap import cell_centres, evened, hills, peaks, refined_peaks
from nodes.surgery.gaze_trial import MAP
from nodes.surgery.graph import Array
from nodes.surgery.opening import read_model
from nodes.surgery.peak_error import maps_of_peaks

COUNT = 400
HILL_FLOOR = 0.5
"""As in `locate_gaze`."""


def peak_errors(
    released: Path, prepared: Path, source_wh: tuple[int, int], out_wh: tuple[int, int]
) -> dict[str, float]:
    """Return mean distances from the reference by file and decoding.

    `upstream`: highest cell of the released map at its corner, as upstream's metrics have it; `cell`: at its centre;
    `refined` and `hill` as `locate_gaze` has them, of maps that are evened out where the file thins them.

    Args:
        released: the file as it is released.
        prepared: the one made of it.
        source_wh: columns and rows inside the network.
        out_wh: columns and rows of the released map.
    """
    places = np.random.default_rng(0).uniform(0.1, 0.9, (COUNT, 2))
    whole = maps_of_peaks(read_model(prepared)[0], MAP, source_wh, places)
    thin = maps_of_peaks(read_model(released)[0], MAP, source_wh, places)
    even = evened(thin, source_wh)
    truth = refined(_bilinear(whole, out_wh))
    columns, rows = out_wh
    row, column, _ = peaks(thin)
    points = {
        "released_upstream": np.stack([column / columns, row / rows], axis=1),
        "released_cell": cells(thin),
        "released_refined": refined(even),
        "released_hill": hilled(even),
        "prepared_cell": cells(whole),
        "prepared_refined": refined(whole),
        "prepared_hill": hilled(whole),
    }
    found = {name: float(np.linalg.norm(point - truth, axis=1).mean()) for name, point in points.items()}
    return found | {"reference_from_truth": float(np.linalg.norm(truth - places, axis=1).mean())}


def cells(maps: Array) -> Array:
    """Return the centres (N, 2) of the highest cells."""
    row, column, _ = peaks(maps)
    return np.stack([cell_centres(maps.shape[2])[column], cell_centres(maps.shape[1])[row]], axis=1)


def refined(maps: Array) -> Array:
    """Return the peaks (N, 2) between the cells."""
    return np.asarray(refined_peaks(maps, cell_centres(maps.shape[2]), cell_centres(maps.shape[1])))


def hilled(maps: Array) -> Array:
    """Return the centres of weight (N, 2) of the high cells."""
    return np.asarray(hills(maps, cell_centres(maps.shape[2]), cell_centres(maps.shape[1]), HILL_FLOOR)[0])


def _bilinear(maps: Array, size_wh: tuple[int, int]) -> Array:
    import cv2

    return np.stack([cv2.resize(each, size_wh, interpolation=cv2.INTER_LINEAR) for each in maps])
