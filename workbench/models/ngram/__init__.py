"""N-gram models: counting, smoothing, files, scoring."""
