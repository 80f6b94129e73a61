"""Encoders: which there are on this machine is FFmpeg's word, not ours."""

from __future__ import annotations

import pytest
from av import VideoCodecContext

from pipeline.encoders import Encoder, cpu_encoder, even, nvenc_encoder, why_not

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("size_wh", [(64, 48), (63, 47)])
def test_the_encoder_of_the_cpu_works_with_every_preset_and_size(preset: str, size_wh: tuple[int, int]) -> None:
    assert why_not(cpu_encoder(preset, 23.0), size_wh) == ""


@pytest.mark.parametrize("preset", PRESETS)
def test_options_of_nvenc_are_those_that_it_knows(preset: str) -> None:
    encoder = nvenc_encoder(preset, 23.4)
    told = VideoCodecContext.create(encoder.codec, "w").supported_options
    own, general = ({option.name: option for option in part} for part in (told.private, told.generic))

    assert encoder.options.keys() - own.keys() == {"b"}
    assert "b" in general
    for name in ("preset", "rc"):
        assert encoder.options[name] in {choice.name for choice in own[name].choices}
    assert encoder.options["cq"] == "23"


def test_what_cannot_encode_says_why() -> None:
    assert why_not(Encoder("libx264", {"preset": "no such preset"}), (64, 48)) != ""
    assert why_not(Encoder("no such codec", {}), (64, 48)) != ""


def test_odd_sizes_are_one_larger() -> None:
    assert (even((63, 48)), even((64, 47)), even((64, 48))) == ((64, 48), (64, 48), (64, 48))
