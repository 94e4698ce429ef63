"""The command line: the commands by theme, `options` what several of them take, `console` what they print."""

# Importing a theme adds its commands to the program, in the order of its help.
from workbench.cli import about, training, training_ngram, sampling, costing, selecting, applying  # isort: skip
from workbench.cli import compiling, packing, items  # isort: skip
from workbench.cli.app import main

__all__ = [
    "about",
    "applying",
    "compiling",
    "costing",
    "items",
    "main",
    "packing",
    "sampling",
    "selecting",
    "training",
    "training_ngram",
]
