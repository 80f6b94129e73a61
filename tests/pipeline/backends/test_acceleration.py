"""Where engines come from, and what is said when they are built, found, or no good."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
from pydantic import ValidationError

from pipeline.backends import acceleration as module
from pipeline.backends.acceleration import acceleration
from pipeline.backends.engine_cache import EngineCache
from pipeline.device import open_device
from pipeline.errors import ConfigError, ModelError
from pipeline.settings import EngineConfig
from tests.fake_engine import HEAD
from tests.pipeline.backends.rig import Rig
from tests.pipeline.tiny_model import model


def built(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the reasons for which engines were built."""
    told = [record.getMessage() for record in caplog.records]
    return [one.partition("(")[2].rpartition(")")[0] for one in told if "building its engine (" in one]


@pytest.fixture(autouse=True)
def talkative(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_an_engine_is_built_once_and_found_again(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        assert rig.told(rig.opened()) == [[2, 3, 4]]

    assert rig.trt.built == 1
    assert built(caplog) == ["no engine for this model yet"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rig: {"precision": "fp16"}, "precision fp32 -> fp16"),
        (
            lambda rig: {"extents": {"N": [1, 2, 8]}},
            "shapes x:1x3 to x:32x3, tuned for x:4x3 -> x:1x3 to x:8x3, tuned for x:2x3",
        ),
        (lambda rig: setattr(rig, "gpu", replace(rig.gpu, driver="590.2")), "driver 580.1 -> 590.2"),
        (lambda rig: setattr(rig.trt, "__version__", "10.14.1"), "TensorRT 10.13.0 -> 10.14.1"),
        (
            lambda rig: {"content": model("Sub")},
            "the model file is another one than that of the engines that there are",
        ),
        (lambda rig: [one.unlink() for one in rig.engines.glob("*.engine")] and None, "its engine was removed"),
    ],
)
def test_why_another_one_is_built_is_said(
    rig: Rig, change: Callable[[Rig], Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig.opened()
    caplog.clear()

    rig.opened(**(change(rig) or {}))

    assert rig.trt.built == 2
    assert built(caplog) == [reason]


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda content: content[:-10], "is damaged: its checksum is another one"),
        (lambda content: content[:5], "is cut or no engine"),
    ],
)
def test_a_damaged_engine_is_said_removed_and_built_anew(
    rig: Rig, harm: Callable[[bytes], bytes], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig.opened()
    path = next(rig.engines.glob("*.engine"))
    path.write_bytes(harm(path.read_bytes()))

    assert rig.told(rig.opened()) == [[2, 3, 4]]

    assert rig.trt.built == 2
    assert built(caplog)[1] == f"the engine in {path} {told}; it was removed"
    rig.opened()
    assert rig.trt.built == 2


def test_an_engine_that_tensorrt_does_not_take_is_built_anew(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.opened()
    path, cache = next(rig.engines.glob("*.engine")), EngineCache(rig.engines)
    record = cache.records()[0]
    cache.write(record, HEAD + b'{"version": "9", "gpu": "other"}\nmodel')
    assert path.exists()

    assert rig.told(rig.opened()) == [[2, 3, 4]]

    assert rig.trt.built == 2
    assert built(caplog)[1] == (
        "TensorRT does not take the engine: the engine was made by another version, or for another GPU; it was removed"
    )


@pytest.mark.parametrize("live", [False, True])
def test_an_engine_that_others_can_write_is_never_loaded(rig: Rig, live: bool) -> None:
    rig.opened()
    next(rig.engines.glob("*.engine")).chmod(0o666)
    begun = rig.trt.run

    with pytest.raises(ConfigError, match="an engine is code"):
        rig.opened(live=live)
    assert (rig.trt.built, rig.trt.run) == (1, begun)


def test_a_disk_that_is_full_costs_the_next_run_time_and_this_one_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    session = rig.opened()

    rig.told(session)
    assert rig.trt.run == 2
    assert any("its engine is built anew the next time" in record.getMessage() for record in caplog.records)


def test_the_record_says_what_was_built(rig: Rig) -> None:
    rig.opened()
    record = EngineCache(rig.engines).records()[0]

    assert (record.name, record.key.model) == ("tiny", hashlib.sha256(model()).hexdigest())
    assert (record.key.gpu, record.key.compute, record.key.driver) == ("Fake 9000", "9.0", "580.1")
    assert record.size > len(model())


def test_onnx_runtime_alone_needs_nothing(tmp_path: Path) -> None:
    for backend in ("auto", "onnxruntime"):
        assert acceleration(EngineConfig(backend=backend), open_device("cpu"), live=True) is None


@pytest.mark.parametrize("backend", ["tensorrt", "onnxruntime-tensorrt"])
def test_engines_need_a_gpu(backend: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        acceleration(EngineConfig(backend=backend), open_device("cpu"), live=True)

    assert str(caught.value) == (
        f"engine.backend '{backend}': expected the device 'cuda', got 'cpu'; add --device cuda, or take the backend "
        "onnxruntime"
    )


@pytest.mark.parametrize("backend", ["auto", "onnxruntime"])
def test_half_precision_needs_engines(backend: Any) -> None:
    with pytest.raises(ValidationError, match="precision: expected the backend tensorrt or onnxruntime-tensorrt for"):
        EngineConfig(backend=backend, precision="fp16")


@pytest.mark.parametrize(("extents", "told"), [([4, 1, 8], "put them in order"), ([0, 1, 1], "greater than or equal")])
def test_extents_rise_from_one(extents: list[int], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        EngineConfig.model_validate({"extents": {"heads": extents}})


class InProvider:
    """Stands for models in the provider of TensorRT, which this build of ONNX Runtime has not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Any] = []
        self._real = module.OnnxRuntime
        monkeypatch.setattr(module, "OnnxRuntime", self.opened)
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [module.PROVIDER])

    def opened(self, content: bytes, path: Path, device: Any, providers: Any) -> Any:
        """Open a model, and keep an engine in the folder that is named; a damaged one is an error."""
        self.asked.append((content, providers, device.stream()))
        kept = Path(providers[0][1]["trt_engine_cache_path"]) / "one.engine"
        if kept.exists() and kept.read_bytes() != b"engine":
            raise ModelError("model tiny: expected a model that loads, got: a damaged engine")
        kept.write_bytes(b"engine")
        return self._real(content, path, device)


def test_the_provider_of_onnx_runtime_is_told_shapes_stream_and_folder(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    provider = InProvider(monkeypatch)

    session = rig.opened(backend="onnxruntime-tensorrt", precision="fp16")

    assert rig.told(session) == [[2, 3, 4]]
    (content, providers, stream) = provider.asked[0]
    folder = str(next(rig.engines.glob("tiny-*.ort")))
    assert content == model()
    assert providers == [
        (
            "TensorrtExecutionProvider",
            {
                "user_compute_stream": str(stream),
                "trt_engine_cache_enable": "True",
                "trt_engine_cache_path": folder,
                "trt_timing_cache_enable": "True",
                "trt_timing_cache_path": folder,
                "trt_fp16_enable": "True",
                "trt_max_workspace_size": str(2 << 30),
                "trt_profile_min_shapes": "x:1x3",
                "trt_profile_opt_shapes": "x:4x3",
                "trt_profile_max_shapes": "x:32x3",
            },
        ),
        "CPUExecutionProvider",
    ]
    rig.opened(backend="onnxruntime-tensorrt", precision="fp16")
    assert built(caplog) == ["no engine for this model yet"]
    assert len(EngineCache(rig.engines).records()) == 1


def test_engines_of_onnx_runtime_that_do_no_good_are_removed_and_built_anew(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    provider = InProvider(monkeypatch)
    rig.opened(backend="onnxruntime-tensorrt")
    next(rig.engines.glob("*.ort/one.engine")).write_bytes(b"damaged")

    assert rig.told(rig.opened(backend="onnxruntime-tensorrt")) == [[2, 3, 4]]

    assert len(provider.asked) == 3
    assert built(caplog)[1] == (
        "model tiny: expected a model that loads, got: a damaged engine; its engines were removed"
    )


def test_a_runtime_without_the_provider_is_refused_before_anything_runs(rig: Rig) -> None:
    with pytest.raises(ConfigError) as caught:
        rig.acceleration(backend="onnxruntime-tensorrt")

    assert str(caught.value) == (
        "engine.backend 'onnxruntime-tensorrt': expected ONNX Runtime with TensorrtExecutionProvider, got one without "
        "(pip uninstall onnxruntime, then pip install onnxruntime-gpu); or take the backend tensorrt"
    )


@pytest.mark.filterwarnings("ignore:Specified provider 'TensorrtExecutionProvider' is not in")
@pytest.mark.parametrize("live", [False, True])
def test_a_provider_that_cannot_be_loaded_is_no_small_matter(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, live: bool, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [module.PROVIDER])
    told = "expected it to run on TensorrtExecutionProvider, got CPUExecutionProvider: that provider cannot be loaded"

    if not live:
        with pytest.raises(ModelError, match=told):
            rig.opened(backend="onnxruntime-tensorrt")
        return
    session = rig.opened(backend="onnxruntime-tensorrt", live=True)
    assert rig.accelerated(session).wait(60)
    assert rig.told(session) == [[2, 3, 4]]
    assert [told in record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [True]
