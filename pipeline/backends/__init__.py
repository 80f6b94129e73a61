"""What executes a model: ONNX Runtime, and TensorRT in its place once it has shown that it says the same."""
