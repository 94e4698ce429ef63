"""Running things: scores over a sample, recipes over scores, manifests over corpora."""
