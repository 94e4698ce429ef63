"""Training of reference models: shapes, token files, steps, checkpoints."""
