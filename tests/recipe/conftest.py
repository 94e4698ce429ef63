"""The manifest of the engine's tests."""

from tests.engine.conftest import corpus, documents, fakes, manifest, recipe, table

__all__ = ["corpus", "documents", "fakes", "manifest", "recipe", "table"]
