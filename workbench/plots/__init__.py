"""Charts: each is computed to plain data first and displayed second, so that the data can be tested and reused."""
