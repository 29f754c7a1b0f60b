"""Weights -> ONNX graphs."""
