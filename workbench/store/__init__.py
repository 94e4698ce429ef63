"""The folder on disk where scores, embeddings and fitted artefacts live beside a sample."""

from workbench.store.columns import ColumnWriter, Store, StoredColumn
from workbench.store.key import ColumnKey

__all__ = ["ColumnKey", "ColumnWriter", "Store", "StoredColumn"]
