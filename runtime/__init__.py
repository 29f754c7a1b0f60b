"""From weights to streamed text with onnxruntime and numpy alone."""
