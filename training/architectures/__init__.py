"""Upstream architectures with random weights, as ONNX files that keep the contracts of the released ones."""
