"""What all charts and the report share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def plain(text: str) -> str:
    """`text` as a page or a picture can hold it: control characters and those that turn the reading direction or end a
    line are shown as a box.

    HTML and XML have no form for most of the first, which make the library that draws charts to files end the whole
    process; the others would reorder what stands beside them.
    """
    return _CONTROL.sub("\ufffd", text)


def inline(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as a chart's data, inside its specification: a chart asks for no file and no server."""
    import altair as alt

    make: Any = alt.Data
    return make(values=list(rows))
