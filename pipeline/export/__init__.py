"""Trained stages → ONNX graphs that score one window a run."""
