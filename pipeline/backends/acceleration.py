"""How the models of a run are executed, by the `engine:` block: which of them get engines, of what, and from where."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.backends import tensorrt as trt
from pipeline.backends.accelerated import Accelerated, Plan
from pipeline.backends.agreement import TOLERANCE
from pipeline.backends.backend import Backend, Model, Runner
from pipeline.backends.build_progress import BuildProgress
from pipeline.backends.engine_build import WORKSPACE_BYTES, build
from pipeline.backends.engine_cache import DamagedEngineError, EngineCache, default_folder
from pipeline.backends.engine_key import EngineKey, EngineRecord
from pipeline.backends.onnxruntime import OnnxRuntime
from pipeline.backends.profiles import Profile, profile_of
from pipeline.cuda.driver import first_gpu
from pipeline.device import Device
from pipeline.errors import ConfigError, ModelError, PipelineError
from pipeline.settings import EngineConfig

logger = logging.getLogger(__name__)

PROVIDER = "TensorrtExecutionProvider"
"""What ONNX Runtime calls its provider of TensorRT."""


class Acceleration:
    """Gives models engines of TensorRT, from a folder of engines or newly built.

    Args:
        settings: the `engine:` block.
        wait: whether a model waits for its engine. Cameras do not: ONNX Runtime's CUDA provider serves meanwhile.

    Raises:
        ConfigError: TensorRT cannot be used, or others may write in the folder of engines.
    """

    def __init__(self, settings: EngineConfig, wait: bool) -> None:
        self._settings, self._wait = settings, wait
        try:
            self._tensorrt = trt.load()
        except trt.RefusedEngineError as error:
            raise ConfigError(f"engine.backend {settings.backend!r}: expected TensorRT, got none: {error}") from error
        if settings.backend == "onnxruntime-tensorrt" and PROVIDER not in _runtime().get_available_providers():
            raise ConfigError(
                f"engine.backend {settings.backend!r}: expected ONNX Runtime with {PROVIDER}, got one without (pip "
                "uninstall onnxruntime, then pip install onnxruntime-gpu); or take the backend tensorrt"
            )
        self._gpu = first_gpu()
        self._cache = EngineCache(settings.cache_folder or default_folder())
        self.models: dict[str, Accelerated | None] = {}
        """Models that were opened, by name; None where nothing tells the shapes of an engine."""
        self._building = threading.Lock()
        """One engine at a time: kernels are chosen by the time that they take."""

    @property
    def folder(self) -> Path:
        """Where engines are kept."""
        return self._cache.folder

    def over(self, reference: Backend, model: Model, device: Device) -> Backend:
        """Return a model that runs by an engine as soon as it can.

        Args:
            reference: the model in ONNX Runtime.
            model: what it is.
            device: where it runs; the calling thread is the one that runs it.

        Raises:
            ConfigError: others may have written the engine.
            ModelError: the engine is waited for, and ONNX Runtime cannot load its provider of TensorRT.
        """
        try:
            profile = profile_of(model.inputs, self._settings.extents)
        except ValueError as error:
            logger.warning("model %s: no engine, it runs in ONNX Runtime: %s; see engine.extents", model.name, error)
            self.models[model.name] = None
            return reference
        key = self._key(model, profile)
        if self._settings.backend == "tensorrt":
            self._cache.check(model.name, key)

            def make(cancelled: threading.Event) -> Runner:
                return self._engine(model, profile, key, device, cancelled)
        else:
            providers = self._providers(model, profile, key, device)  # on the stream of this thread

            def make(cancelled: threading.Event) -> Runner:
                return self._session(model, key, device, providers, cancelled)

        plan = Plan(profile, make, TOLERANCE[self._settings.precision], self._wait)
        made = self.models[model.name] = Accelerated(reference, model, plan, device)
        return made

    def _key(self, model: Model, profile: Profile) -> EngineKey:
        backend, gpu = str(self._settings.backend), self._gpu
        if backend == "onnxruntime-tensorrt":
            backend = f"{backend} {_runtime().__version__}"
        return EngineKey(
            model=hashlib.sha256(model.content).hexdigest(),
            backend=backend,
            precision=self._settings.precision,
            shapes=str(profile),
            options=f"workspace {WORKSPACE_BYTES}",
            gpu=gpu.name,
            compute=gpu.compute,
            driver=gpu.driver,
            cuda=gpu.cuda,
            tensorrt=self._tensorrt.__version__,
        )

    def _engine(
        self, model: Model, profile: Profile, key: EngineKey, device: Device, cancelled: threading.Event
    ) -> Runner:
        """Return an engine of TensorRT's own, from the folder or newly built."""
        with self._building, self._cache.alone(model.name, key, cancelled):
            why = None
            try:
                if kept := self._cache.read(model.name, key):
                    return self._loaded(model, kept, device)
            except (DamagedEngineError, trt.RefusedEngineError) as error:
                self._cache.remove(model.name, key)
                why = f"{error}; it was removed"
                logger.warning("model %s: %s", model.name, why)
            self._say_why(model, why or self._cache.why(model.name, key))
            progress = BuildProgress(model.name, cancelled)
            engine = build(self._tensorrt, model.content, profile, self._settings.precision, progress)
            record = EngineRecord(model.name, key, round(progress.spent_s, 1), len(engine))
            self._keep(lambda: self._cache.write(record, engine), record)
            return self._loaded(model, engine, device)

    def _loaded(self, model: Model, engine: bytes, device: Device) -> Runner:
        return trt.TensorRtEngine(self._tensorrt, engine, device, model.name, self._settings.cuda_graphs)

    def _session(
        self, model: Model, key: EngineKey, device: Device, providers: list[Any], cancelled: threading.Event
    ) -> Runner:
        """Return the model in ONNX Runtime's provider of TensorRT, which keeps its engines in a folder by itself."""
        with self._building, self._cache.alone(model.name, key, cancelled):
            why = None
            if key in [record.key for record in self._cache.records()]:
                try:
                    return OnnxRuntime(model.content, Path(model.name), device, providers)
                except ModelError as error:  # it may be the engines, which the runtime does not check
                    self._cache.remove(model.name, key)
                    self._cache.runtime_folder(model.name, key)
                    why = f"{error}; its engines were removed"
                    logger.warning("model %s: %s", model.name, why)
            self._say_why(model, why or self._cache.why(model.name, key))
            progress = BuildProgress(model.name, cancelled)
            session = OnnxRuntime(model.content, Path(model.name), device, providers)
            record = EngineRecord(model.name, key, round(progress.spent_s, 1), 0)
            self._keep(lambda: self._cache.note(record), record)
            return session

    def _providers(self, model: Model, profile: Profile, key: EngineKey, device: Device) -> list[Any]:
        folder = str(self._cache.runtime_folder(model.name, key))
        options = {
            "user_compute_stream": str(device.stream()),
            "trt_engine_cache_enable": "True",
            "trt_engine_cache_path": folder,
            "trt_timing_cache_enable": "True",
            "trt_timing_cache_path": folder,
            "trt_fp16_enable": str(self._settings.precision == "fp16"),
            "trt_max_workspace_size": str(WORKSPACE_BYTES),
        }
        for which, name in enumerate(("min", "opt", "max")):
            options[f"trt_profile_{name}_shapes"] = profile.words(which)
        return [(PROVIDER, options), *device.providers]

    def _say_why(self, model: Model, why: str) -> None:
        meanwhile = "the run waits" if self._wait else "it runs in ONNX Runtime meanwhile"
        logger.info("model %s: building its engine (%s); %s", model.name, why, meanwhile)

    def _keep(self, write: Callable[[], object], record: EngineRecord) -> None:
        logger.info("model %s: its engine was built in %.1f s", record.name, record.built_s)
        try:
            write()
        except PipelineError as error:  # a full disk is no reason to do without an engine that is there
            logger.warning("model %s: its engine is built anew the next time: %s", record.name, error)


def _runtime() -> Any:
    import onnxruntime  # takes its time

    return onnxruntime


def acceleration(settings: EngineConfig, device: Device, *, live: bool) -> Acceleration | None:
    """Return what gives the models of a run engines; None where ONNX Runtime alone runs them.

    Args:
        settings: the `engine:` block.
        device: where models run.
        live: whether there are cameras, which do not wait.

    Raises:
        ConfigError: what is asked for cannot be had on this device, or a package is missing; names the cure.
    """
    if settings.backend in ("auto", "onnxruntime"):
        return None
    if device.kind != "cuda":
        raise ConfigError(
            f"engine.backend {settings.backend!r}: expected the device 'cuda', got {device.kind!r}; add --device cuda, "
            "or take the backend onnxruntime"
        )
    return Acceleration(settings, wait=not live)
