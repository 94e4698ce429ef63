"""Which documents are trained on when, and how often: plans made of a selection, one file a method."""
