"""The kernels of the CUDA device: their source, and what the host works out for them. Imports nothing of CUDA."""
