import json
import re
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from scenes.__main__ import main
from scenes.clip import Clip, make_clip
from scenes.demo import VIDEO, make_demo
from scenes.files import read_truth, truth_path, write_clip
from scenes.sets import fingerprint


@pytest.fixture(scope="module")
def clip() -> Clip:
    return make_clip(4, seconds=0.8, size_wh=(160, 96), place="shop", people=3)


def test_a_clip_and_its_truth_come_back_from_files(clip: Clip, tmp_path: Path) -> None:
    video = tmp_path / "clip.mp4"

    written = write_clip(clip, video)

    truth = read_truth(written)
    assert written == tmp_path / "clip.truth.json" == truth_path(video)
    assert truth["size_wh"] == [160, 96]
    assert [area["name"] for area in truth["aois"]] == [aoi.name for aoi in clip.aois]
    assert len(truth["fixations"]) == len(clip.fixations)
    made = list(clip.frames())
    assert fingerprint(row["people"] for row in truth["frames"]) == fingerprint(frame.people for frame in made)
    with av.open(str(video)) as container:
        frames = list(container.decode(video=0))
    assert [round(frame.time * 1e9) for frame in frames] == [row["pts_ns"] for row in truth["frames"]]
    error = frames[0].to_ndarray(format="bgr24").astype(float) - made[0].bgr
    assert np.abs(error).mean() < 8


def test_clips_are_encoded_alike_from_run_to_run(clip: Clip, tmp_path: Path) -> None:
    """By what the encoder says of itself in the file: longer clips differ with its macroblock tree, or with threads."""
    write_clip(clip, tmp_path / "clip.mp4")

    said = (tmp_path / "clip.mp4").read_bytes()
    assert b" mbtree=0 " in said
    assert b" threads=1 " in said


def test_a_target_behind_the_camera_is_null_in_the_file_and_nan_again_when_read(clip: Clip, tmp_path: Path) -> None:
    path = write_clip(replace(clip, seconds=0.08), tmp_path / "clip.mp4")
    text = json.loads(path.read_text(encoding="utf-8"))
    text["frames"][0]["people"]["target_point"][0] = [None, None]
    path.write_text(json.dumps(text), encoding="utf-8")

    assert np.isnan(read_truth(path)["frames"][0]["people"].target_point[0]).all()


def test_truth_files_are_strict_json() -> None:
    text = truth_path(VIDEO).read_text(encoding="utf-8")

    assert "null" in text, "somebody looks behind the camera"
    assert "NaN" not in text


def test_wrong_names_and_odd_sizes_are_refused_before_anything_is_written(clip: Clip, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^write_clip: expected a file that ends in \.mp4, got '.*clip\.avi'$"):
        write_clip(clip, tmp_path / "clip.avi")
    message = "write_clip: expected an even size, got (161, 96); H.264 stores colour by 2 x 2"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        write_clip(replace(clip, size_wh=(161, 96)), tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_writes_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = tmp_path / "a.mp4"
    what = ["--seed", "4", "--seconds", "0.4", "--fps", "5", "--size", "160x96"]
    arguments = [*what, "--place", "shop", "--people", "2"]

    assert main([*arguments, "--out", str(video)]) == 0

    printed = capsys.readouterr().out
    assert printed.startswith(f"{video}: 2 frames, 2 people, areas: ")
    assert video.exists() and truth_path(video).exists()


def test_the_command_line_refuses_bad_input_with_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seconds", "-1", "--out", str(tmp_path / "a.mp4")]) == 2
    assert capsys.readouterr().err == "make_clip: expected seconds between 0 and 3600, got -1.0\n"
    with pytest.raises(SystemExit) as stopped:
        main(["--size", "480", "--out", str(tmp_path / "a.mp4")])
    assert stopped.value.code == 2
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2


def test_the_clip_that_ships_is_what_its_recipe_gives() -> None:
    demo, truth = make_demo(), read_truth(truth_path(VIDEO))

    assert VIDEO.stat().st_size < 3_000_000
    assert len(truth["frames"]) == len(demo) == 300
    assert [area["name"] for area in truth["aois"]] == ["cereal", "checkout", "coffee", "snacks"]
    for area, aoi in zip(truth["aois"], demo.aois, strict=True):
        np.testing.assert_allclose(area["polygon"], aoi.polygon, atol=1e-6)
    with av.open(str(VIDEO)) as container:
        shipped = next(container.decode(video=0)).to_ndarray(format="bgr24")
    frame = demo.frame(0)
    assert fingerprint([frame.people]) == fingerprint([truth["frames"][0]["people"]])
    assert np.abs(shipped.astype(float) - frame.bgr).mean() < 6


def test_people_of_the_clip_that_ships_look_at_all_its_displays_with_heads_large_enough() -> None:
    truth = read_truth(truth_path(VIDEO))

    for area in truth["aois"]:
        stays = [f for f in truth["fixations"] if f["target"] == area["name"] and f["end_s"] - f["start_s"] > 0.5]
        assert stays, area["name"]
    heads = np.concatenate([row["people"].head_box[row["people"].head_visible > 0.9] for row in truth["frames"]])
    assert (heads[:, 3] - heads[:, 1]).min() * 480 >= 28
