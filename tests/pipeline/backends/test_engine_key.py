"""Why an engine is built is told by what differs from those that there are."""

from __future__ import annotations

import msgspec
import pytest

from pipeline.backends.engine_key import EngineKey, EngineRecord, why

KEY = EngineKey(
    model="ab" * 32,
    backend="tensorrt",
    precision="fp32",
    shapes="x:1x3 to x:32x3, tuned for x:4x3",
    options="workspace 1",
    gpu="Fake 9000",
    compute="9.0",
    driver="580.1",
    cuda="13.0",
    tensorrt="10.13.0",
)


def record(name: str = "tiny", **other: str) -> EngineRecord:
    return EngineRecord(name, msgspec.structs.replace(KEY, **other), 1.0, 10)


@pytest.mark.parametrize("field", EngineKey.__struct_fields__)
def test_each_field_makes_another_engine(field: str) -> None:
    assert record(**{field: "other"}).key.digest != KEY.digest


def test_the_digest_is_that_of_the_values() -> None:
    assert record().key.digest == KEY.digest
    assert len(KEY.digest) == 24


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ([], "no engine for this model yet"),
        ([record("other", model="cd")], "no engine for this model yet"),
        ([record(model="cd")], "the model file is another one than that of the engines that there are"),
        ([record(driver="590.2")], "driver 590.2 -> 580.1"),
        ([record(driver="")], "driver unknown -> 580.1"),
        ([record(tensorrt="10.9", cuda="12.8")], "CUDA 12.8 -> 13.0, TensorRT 10.9 -> 10.13.0"),
        ([record(gpu="Old 1000", compute="7.5")], "GPU Old 1000 -> Fake 9000, compute capability 7.5 -> 9.0"),
        ([record(precision="fp16")], "precision fp16 -> fp32"),
        ([record(precision="fp16", driver="570"), record(driver="570")], "driver 570 -> 580.1"),
        ([record(driver="560"), record(driver="570")], "driver 570 -> 580.1"),
        ([record()], "its engine was removed"),
    ],
)
def test_what_differs_from_the_nearest_is_the_reason(there: list[EngineRecord], told: str) -> None:
    assert why("tiny", KEY, there) == told
