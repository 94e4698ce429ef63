"""Causal language models: windows, batches, the loss of each document."""
