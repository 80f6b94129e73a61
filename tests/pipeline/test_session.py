"""Sessions: real ONNX Runtime on models of one or two operations, made here."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from pipeline.device import open_device
from pipeline.device_cpu import CpuDevice
from pipeline.errors import ModelError
from pipeline.session import Session, open_session
from tests.cuda_device import CudaDeviceOnCpu
from tests.fake_arrays import DeviceArray
from tests.pipeline.cuda.on_cpu import CompiledKernels
from tests.pipeline.tiny_model import OUTPUT, install, model

CPU = open_device("cpu")


def opened(root: Path, content: bytes, *args: Any, **card: Any) -> Session:
    install(root, content, *args, **card)
    return open_session("tiny", CPU, root)


def refusal(root: Path) -> str:
    with pytest.raises(ModelError) as caught:
        open_session("tiny", CPU, root)
    return str(caught.value)


def test_a_model_runs(tmp_path):
    session = opened(tmp_path, model())

    assert session.inputs == {"x": (("N", 3), "float32")}
    assert session.outputs == {"y": (("N", 3), "float32")}
    assert session.card.family == "adder"
    result = session.run({"x": np.array([[1, 1, 1], [0, 0, 5]], np.float32)})
    assert {name: array.tolist() for name, array in result.items()} == {"y": [[2, 3, 4], [1, 2, 8]]}


def test_no_rows_in_are_no_rows_out(tmp_path):
    assert opened(tmp_path, model()).run({"x": np.empty((0, 3), np.float32)})["y"].shape == (0, 3)


@pytest.mark.parametrize("op", ["Add", "Identity"])
def test_what_was_returned_never_changes(tmp_path, op):
    session = opened(tmp_path, model(op))
    returned, copies = [], []
    for value in range(50):
        given = np.full((40, 3), value, np.float32)
        returned.append(session.run({"x": given})["y"])
        copies.append(returned[-1].copy())
        given[:] = -1  # the caller may use its own buffer again
    session.close()
    del session

    for value, kept in zip(returned, copies, strict=True):
        np.testing.assert_array_equal(value, kept)
    assert len({value.ctypes.data for value in returned}) == 50


def test_inputs_need_not_be_contiguous(tmp_path):
    given = np.arange(12, dtype=np.float32).reshape(3, 4).T[::2]

    assert opened(tmp_path, model()).run({"x": given})["y"].tolist() == [[1, 6, 11], [3, 8, 13]]


def test_threads_may_share_a_session(tmp_path):
    session = opened(tmp_path, model())
    wrong: list[int] = []

    def work(value: int) -> None:
        for _ in range(100):
            if session.run({"x": np.full((5, 3), value, np.float32)})["y"][4, 0] != value + 1:
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(value,)) for value in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "expected inputs ['x'], got []"),
        ({"z": np.zeros((1, 3), np.float32)}, "expected inputs ['x'], got ['z']"),
        ({"x": np.zeros((1, 3), np.float32), "z": np.zeros(1)}, "expected inputs ['x'], got ['x', 'z']"),
        ({"x": np.zeros((1, 4), np.float32)}, "input 'x': expected float32 [N, 3], got float32 [1, 4]"),
        ({"x": np.zeros((1, 3))}, "input 'x': expected float32 [N, 3], got float64 [1, 3]"),
        ({"x": np.zeros(3, np.float32)}, "input 'x': expected float32 [N, 3], got float32 [3]"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(tmp_path, inputs, message):
    session = opened(tmp_path, model())

    with pytest.raises(ModelError) as caught:
        session.run(inputs)

    assert str(caught.value) == f"model {tmp_path}/tiny.onnx: {message}"


def test_a_model_that_fails_while_it_runs_is_named(tmp_path):
    # Declared for any width, but only a width of 3 can be added to the weight.
    session = opened(tmp_path, model(shape=("N", "K"), out_shape=("N", "K")), OUTPUT)

    with pytest.raises(ModelError) as caught:
        session.run({"x": np.zeros((2, 5), np.float32)})

    assert str(caught.value).startswith(f"model {tmp_path}/tiny.onnx: failed on inputs of shape {{'x': (2, 5)}}: Error")


def test_a_missing_file_with_an_address_is_not_downloaded_yet(tmp_path):
    path = install(tmp_path, None, url="https://example.org/tiny.onnx")

    assert refusal(tmp_path) == (
        f"model 'tiny': expected the file {path}, got none; it is not fetched yet: type python run_graph.py "
        "models pull tiny"
    )


def test_a_missing_file_that_ships_is_restored(tmp_path):
    path = install(tmp_path, None, shipped=True)

    assert refusal(tmp_path) == (
        f"model 'tiny': expected the file {path}, got none; it ships with this repository: restore it with git checkout"
    )


def test_a_missing_file_of_ones_own_is_put_there(tmp_path):
    path = install(tmp_path, None)

    assert refusal(tmp_path) == (
        f"model 'tiny': expected the file {path}, got none; put the file there or correct `file` in the card 'tiny'"
    )


def test_the_checksum_must_agree(tmp_path):
    content = model()
    digest = hashlib.sha256(content).hexdigest()
    path = install(tmp_path, content, sha256="0" * 64)

    assert refusal(tmp_path) == (
        f"model {path}: expected the sha256 {'0' * 64} of the card 'tiny', got {digest}; the file is damaged or "
        "another one: python run_graph.py models verify tiny says what to do"
    )
    install(tmp_path, content, sha256=digest)
    open_session("tiny", CPU, tmp_path)


def test_a_model_with_other_outputs_is_refused(tmp_path):
    path = install(tmp_path, model(output="boxes"))

    assert refusal(tmp_path) == (
        f"model {path}: expected output 'y' of float32 [N, 3], got outputs 'boxes' of float32 [N, 3]; the card 'tiny' "
        "wants a file of the family 'adder': give such a file, or the card that fits this one"
    )


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({"shape": ["N"]}, "float32 [N]"),
        ({"shape": ["N", 4]}, "float32 [N, 4]"),
        ({"shape": ["N", "W"]}, "float32 [N, W]"),
        ({"shape": ["N", 3], "dtype": "uint8"}, "uint8 [N, 3]"),
    ],
)
def test_an_input_of_another_rank_extent_or_dtype_is_refused(tmp_path, spec, wanted):
    install(tmp_path, model(), OUTPUT, {"x": spec}, input_size_wh=[5, 5])

    assert f"expected input 'x' of {wanted}, got inputs 'x' of float32 [N, 3]; the card" in refusal(tmp_path)


def test_an_input_that_the_contract_does_not_know_is_refused(tmp_path):
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "z"], ["y"])],
        "two",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3]) for name in "xz"],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    install(tmp_path, made.SerializeToString())

    assert "expected no inputs but ['x'], got also 'z' of float32 [N, 3]; the card" in refusal(tmp_path)


def test_a_rank_that_the_file_does_not_tell_shows_in_the_trial_run(tmp_path):
    # Squeeze drops the axes of extent 1, which only a run can tell.
    made = onnx.load_from_string(model("Squeeze"))
    made.graph.output[0].type.tensor_type.ClearField("shape")
    path = install(tmp_path, made.SerializeToString())

    assert refusal(tmp_path) == (
        f"model {path}: expected output 'y' of float32 [N, 3], got in a trial run 'y' of float32 [3]; the card 'tiny' "
        "wants a file of the family 'adder': give such a file, or the card that fits this one"
    )
    install(tmp_path, made.SerializeToString(), {"y": {"shape": [3]}})
    open_session("tiny", CPU, tmp_path)


@pytest.mark.parametrize(("op", "got"), [("Add", "1 to 5"), ("Log", "nan to nan")])
def test_outputs_are_held_to_their_range(tmp_path, op, got):
    limits = [-3, 1] if op == "Log" else [0, 2]
    inputs = {"x": {"shape": ["N", 3], "range": limits}}
    path = install(tmp_path, model(op), {"y": {"shape": ["N", 3], "range": [0, 1]}}, inputs)

    assert refusal(tmp_path) == (
        f"model {path}: expected output 'y' within 0 to 1, got {got} in a trial run; the card 'tiny' wants another "
        "file or another range"
    )


@pytest.mark.parametrize("location", ["/etc/passwd", "../secret", "beside.bin", "*/_ORT_MEM_ADDR_/*"])
def test_weights_outside_the_file_are_refused(tmp_path, location, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside.bin").write_bytes(bytes(12))
    path = install(tmp_path, model(external=location))

    message = refusal(tmp_path)
    assert message.startswith(f"model {path}: expected a model that loads, got: [ONNXRuntimeError]")
    assert "External data path" in message or "in-memory address" in message
    assert "give a single file with its weights inside" in message


def test_a_file_that_is_no_model_is_refused(tmp_path):
    path = install(tmp_path, b"<html>404</html>")

    assert refusal(tmp_path).startswith(f"model {path}: expected a model that loads, got: [ONNXRuntimeError]")


@pytest.mark.parametrize("special", ["/dev/zero", "."])
def test_a_device_or_folder_is_no_model(tmp_path, special):
    install(tmp_path, None, file=special)

    assert "expected a file of at most 2147483647 bytes, got" in refusal(tmp_path)


def test_a_model_larger_than_the_format_allows_is_not_read(tmp_path):
    path = install(tmp_path, None)
    with path.open("wb") as file:
        file.truncate(2**31)  # sparse: takes no space

    assert refusal(tmp_path) == (
        f"model {path}: expected a file of at most 2147483647 bytes, got 2147483648 or no file"
    )


def test_a_provider_that_cannot_be_loaded_is_refused_and_not_done_without(tmp_path: Path) -> None:
    class Hopeful(CpuDevice):
        """Asks for a GPU that is not there."""

        providers = (("CUDAExecutionProvider", {"device_id": "0"}),)

    install(tmp_path, model())

    with pytest.warns(UserWarning, match="CUDAExecutionProvider"), pytest.raises(ModelError) as caught:
        open_session("tiny", Hopeful(), tmp_path)

    assert str(caught.value).endswith(
        "expected it to run on CUDAExecutionProvider, got CPUExecutionProvider: that provider cannot be loaded; "
        "python run_graph.py doctor says what is missing, and --device cpu runs without it"
    )


def test_a_model_on_the_gpu_takes_and_gives_arrays_of_the_device(
    tmp_path: Path, compiled_kernels: CompiledKernels
) -> None:
    install(tmp_path, model())
    device = CudaDeviceOnCpu(compiled_kernels)
    session = open_session("tiny", device, tmp_path)

    given = device.xp.asarray(np.array([[1, 1, 1]], np.float32))
    told = session.run({"x": given})["y"]

    assert isinstance(told, DeviceArray)
    assert device.to_host(told).tolist() == [[2, 3, 4]]
