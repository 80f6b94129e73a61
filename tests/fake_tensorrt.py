"""A stand-in for TensorRT: refuses calls in the wrong order, and executes models late, on the stand-in for cupy.

An engine is the ONNX file with a line before it, and runs as `fake_engine` has it.
"""

from __future__ import annotations

import json
import threading
from enum import Enum
from typing import Any

import numpy as np
import onnx

from tests.fake_cupy import FakeCupy
from tests.fake_engine import HEAD, Kept, Runtime, Severity, inputs_of


class _Base:
    """What Python classes are made from; they must call its `__init__`, or the real one crashes."""

    made = False

    def __init__(self) -> None:
        self.made = True


class FakeTensorRt:
    """The part of the package that pipeline.backends.tensorrt uses.

    Args:
        cupy: whose streams it runs on.
        version: of TensorRT.
        gpu: engines of others are refused.
    """

    class ILogger(_Base):
        Severity = Severity

    class IProgressMonitor(_Base):
        pass

    class IOutputAllocator(_Base):
        pass

    class MemoryPoolType(Enum):
        WORKSPACE = 0

    class BuilderFlag(Enum):
        FP16 = 0

    class TensorIOMode(Enum):
        INPUT = 1
        OUTPUT = 2

    def __init__(self, cupy: FakeCupy, version: str = "10.13.0", gpu: str = "Fake 9000") -> None:
        self.cupy, self.__version__, self.gpu = cupy, version, gpu
        self.built = self.run = 0
        """Engines that were built, and runs of engines that were begun."""
        self.repeated = 0
        """Runs that graphs did which were recorded."""
        self.cannot_record = ""
        """What TensorRT complains of when it is recorded."""
        self.flags: list[Any] = []
        self.wrong_by = 0.0
        """What engines add to their outputs."""
        self.cannot_read = ""
        """What the parser complains of."""
        self.wants_on_host: set[str] = set()
        """Inputs that decide on shapes."""
        self.gate: threading.Event | None = None
        """Building does not go on before it is set."""
        self.building = threading.Event()
        """Building has begun."""

    @staticmethod
    def nptype(dtype: np.dtype) -> type:
        return np.dtype(dtype).type

    def Builder(self, log: Any) -> Builder:
        assert isinstance(log, self.ILogger) and log.made
        return Builder(self, log)

    def OnnxParser(self, network: Network, log: Any) -> Parser:
        assert isinstance(log, self.ILogger) and log.made
        return Parser(self, network)

    def Runtime(self, log: Any) -> Runtime:
        assert isinstance(log, self.ILogger) and log.made
        return Runtime(self, log)


class Builder:
    def __init__(self, trt: FakeTensorRt, log: Any) -> None:
        self._trt, self._log = trt, log

    def create_network(self, flags: int) -> Network:
        assert flags == 0
        return Network(self)

    def create_builder_config(self) -> Config:
        return Config(self, self._trt)

    def create_optimization_profile(self) -> OptimizationProfile:
        return OptimizationProfile(self)

    def build_serialized_network(self, network: Network, config: Config) -> bytearray | None:
        network.parent(), config.parent()
        assert network.model is not None, "a network was built before a file was parsed"
        assert len(config.profiles) == 1 and config.workspace_bytes
        self._trt.building.set()
        monitor = config.progress_monitor
        assert isinstance(monitor, self._trt.IProgressMonitor) and monitor.made
        told: list[bool] = []
        thread = threading.Thread(target=lambda: told.append(self._steps(monitor)))  # the real one has threads, too
        thread.start()
        thread.join()
        if told != [True]:
            return None
        shapes = config.profiles[0].shapes
        for name, declared in inputs_of(network.model).items():
            if any(not isinstance(extent, int) for extent in declared) and name not in shapes:
                self._log.log(Severity.ERROR, f"input {name} has no shapes in the profile")
                return None
        head = json.dumps({"version": self._trt.__version__, "gpu": self._trt.gpu, "shapes": shapes}).encode()
        self._trt.built += 1
        return bytearray(HEAD + head + b"\n" + network.model.SerializeToString())

    def _steps(self, monitor: Any) -> bool:
        monitor.phase_start("all", None, 2)
        monitor.phase_start("tactics", "all", 4)
        for step in range(4):
            if step == 2 and self._trt.gate is not None:
                self._trt.gate.wait()
            if not monitor.step_complete("tactics", step):
                monitor.phase_finish("tactics")
                monitor.phase_finish("all")
                return False
        monitor.phase_finish("tactics")
        going_on = monitor.step_complete("all", 0)
        monitor.phase_finish("all")
        return bool(going_on)


class Network(Kept):
    model: onnx.ModelProto | None = None


class Parser:
    def __init__(self, trt: FakeTensorRt, network: Network) -> None:
        self._trt, self._network = trt, network
        self.num_errors = 0

    def parse(self, content: bytes) -> bool:
        self._network.parent()
        if self._trt.cannot_read:
            self.num_errors = 1
            return False
        self._network.model = onnx.load_from_string(content)
        return True

    def get_error(self, number: int) -> Any:
        assert number < self.num_errors
        told = self._trt.cannot_read
        return type("ParserError", (), {"desc": lambda self: told})()


class Config(Kept):
    def __init__(self, builder: Builder, trt: FakeTensorRt) -> None:
        super().__init__(builder)
        self._trt = trt
        self.profiles: list[OptimizationProfile] = []
        self.workspace_bytes = 0
        self.progress_monitor: Any = None

    def set_memory_pool_limit(self, pool: Any, size: int) -> None:
        assert pool is self._trt.MemoryPoolType.WORKSPACE
        self.workspace_bytes = size

    def set_flag(self, flag: Any) -> None:
        assert isinstance(flag, self._trt.BuilderFlag)
        self._trt.flags.append(flag)

    def add_optimization_profile(self, profile: OptimizationProfile) -> int:
        self.profiles.append(profile)
        return len(self.profiles) - 1


class OptimizationProfile(Kept):
    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.shapes: dict[str, Any] = {}

    def set_shape(self, name: str, least: tuple[int, ...], usual: tuple[int, ...], most: tuple[int, ...]) -> None:
        assert all(a <= b <= c for a, b, c in zip(least, usual, most, strict=True))
        self.shapes[name] = [least, usual, most]
