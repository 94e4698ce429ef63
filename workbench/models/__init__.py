"""Models: where they lie, how they are loaded, and what the workbench asks of them."""
