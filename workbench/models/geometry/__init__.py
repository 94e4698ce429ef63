"""What is done with vectors: k-means, neighbours, layout, density."""
