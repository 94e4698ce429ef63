"""Damage done to code on purpose, to see where an embedding puts it: broken syntax, or content that misleads.

Each function takes code, a random generator and a fraction, and gives the damaged code, or None where there is nothing
to damage. Texts are read as Python where they can be; broken syntax can be made in any language.
"""

from __future__ import annotations

import ast
import io
import keyword
import re
import tokenize
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import numpy as np

from workbench.checks import check_fraction

Damage = Callable[[str, np.random.Generator, float], str | None]

T = TypeVar("T")
Span = tuple[int, int]

_FAULTS = (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError)
_NAME = re.compile(r"[^\W\d]\w*")
# With a digit before it such a name may be a number (9e5, 9j, 9_000).
_NUMBER_LIKE = "eEjJ_"


def drop_brackets(code: str, random: np.random.Generator, fraction: float = 0.5) -> str | None:
    """Leave out some of the closing brackets, at least one: what opens is more than what closes.

    Parameters
    ----------
    fraction
        In 0..1, of the closing brackets outside of strings and comments (of all, where the text isn't Python).
    """
    tokens = _tokens(code)
    if tokens is None:
        closing = [(i, i + 1) for i, char in enumerate(code) if char in ")]}"]
    else:
        closing = [span for kind, text, span in tokens if kind == tokenize.OP and text in ")]}"]
    return _replaced(code, [(span, "") for span in _some(closing, random, fraction)])


def break_names(code: str, random: np.random.Generator, fraction: float = 0.5) -> str | None:
    """Put a digit before some of the names, all occurrences of each, so that they are none.

    Parameters
    ----------
    fraction
        In 0..1, of the different names; at least one.
    """
    names = _names(code)
    chosen = set(_some(sorted({name for name, _ in names}), random, fraction))
    return _replaced(
        code,
        [(span, ("9$" if name[0] in _NUMBER_LIKE else "9") + name) for name, span in names if name in chosen],
    )


def delete_conditionals(code: str, random: np.random.Generator, fraction: float = 0.5) -> str | None:
    """Delete some `if` statements with all their branches; a block that nothing is left of gets a `pass`.

    Parameters
    ----------
    fraction
        In 0..1, of the statements that lie in no other `if`; at least one.
    """
    tree = _parsed(code)
    if tree is None:
        return None
    blocks = list(_blocks(tree))
    chosen = _some([node for block in blocks for node in block if isinstance(node, ast.If)], random, fraction)
    gone = {id(node) for node in chosen}
    lines = _lines(code)
    for block in blocks:
        is_empty = all(id(node) in gone for node in block)
        for place, node in enumerate(block):
            if id(node) not in gone:
                continue
            first, last = node.lineno - 1, node.end_lineno or node.lineno
            indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
            lines[first:last] = [""] * (last - first)
            if is_empty and place == 0:
                lines[first] = f"{indent}pass\n"
    return _checked(code, "".join(lines))


def shift_indices(code: str, random: np.random.Generator, fraction: float = 1.0) -> str | None:
    """Add 1 to some of the whole numbers by which something is indexed or sliced.

    Parameters
    ----------
    fraction
        In 0..1, of these numbers; at least one.
    """
    tree = _parsed(code)
    if tree is None:
        return None
    numbers = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            parts = [node.slice]
            if isinstance(node.slice, ast.Slice):
                parts = [part for part in (node.slice.lower, node.slice.upper) if part is not None]
            numbers += [(part, value) for part in parts if (value := _whole_number(part)) is not None]
    starts = _line_starts(code)
    edits = [
        (_span_of(part, code, starts), str(value + 1)) for part, value in _some(numbers, random, fraction)
    ]
    return _checked(code, _replaced(code, edits))


def swap_names(code: str, random: np.random.Generator, fraction: float = 1.0) -> str | None:
    """Give some variables each other's names, all over the text but in strings: every name misleads.

    Parameters
    ----------
    fraction
        In 0..1, of the variables and arguments; at least two.
    """
    tree = _parsed(code)
    if tree is None:
        return None
    stored = {
        node.arg if isinstance(node, ast.arg) else node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    }
    names = sorted(stored - set(keyword.softkwlist))
    if len(names) < 2:
        return None
    chosen = _some(names, random, max(fraction, 2 / len(names)))
    # Each takes the next one's: none keeps its own.
    new = dict(zip(chosen, [*chosen[1:], chosen[0]], strict=True))
    edits = [(span, new[name]) for name, span in _names(code) if name in new]
    return _checked(code, _replaced(code, edits))


SYNTAX: Mapping[str, Damage] = {"drop_brackets": drop_brackets, "break_names": break_names}
"""Damage after which code doesn't parse; SCIP finds it in small clusters."""

CONTENT: Mapping[str, Damage] = {
    "delete_conditionals": delete_conditionals,
    "shift_indices": shift_indices,
    "swap_names": swap_names,
}
"""Damage after which Python still parses; SCIP finds it far from the centres of clusters."""


def _some(items: Sequence[T], random: np.random.Generator, fraction: float) -> list[T]:
    """A random share of some items, at least one if there are any, in random order."""
    check_fraction("fraction", fraction)
    n = min(max(int(fraction * len(items) + 0.5), 1), len(items))
    return [items[i] for i in random.permutation(len(items))[:n]]


def _parsed(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in the corpus's strings
            return ast.parse(code)
    except _FAULTS:
        return None


def _checked(before: str, after: str | None) -> str | None:
    """The damaged code, None if it is the same or doesn't parse."""
    return None if after is None or after == before or _parsed(after) is None else after


def _replaced(code: str, edits: Sequence[tuple[Span, str]]) -> str | None:
    pieces, done = [], 0
    for (start, end), text in sorted(edits):
        pieces += [code[done:start], text]
        done = end
    return "".join([*pieces, code[done:]]) if edits else None


def _lines(code: str) -> list[str]:
    """Lines as Python counts them, with their ends."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", code)


def _line_starts(code: str) -> list[int]:
    starts = [0]
    for line in _lines(code):
        starts.append(starts[-1] + len(line))
    return starts


def _tokens(code: str) -> list[tuple[int, str, Span]] | None:
    """Kind, text and place of each token; None if the text can't be split into Python's.

    An f-string is one string, as it is before Python 3.12, so that every Python damages alike.
    """
    starts = [0, *(match.end() for match in re.finditer("\n", code))]
    opens, closes = (getattr(tokenize, f"FSTRING_{end}", -1) for end in ("START", "END"))
    out, n_open = [], 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for token in tokenize.generate_tokens(io.StringIO(code).readline):
                (row, column), (end_row, end_column) = token.start, token.end
                n_open += (token.type == opens) - (token.type == closes)
                if token.string and end_row <= len(starts) and not n_open:
                    span = (starts[row - 1] + column, starts[end_row - 1] + end_column)
                    out.append((token.type, token.string, span))
    except _FAULTS:
        return None
    return out


def _names(code: str) -> list[tuple[str, Span]]:
    """Names that are no keywords, and not what stands behind a dot."""
    tokens = _tokens(code)
    if tokens is None:
        found = [(match.group(), match.span()) for match in _NAME.finditer(code)]
    else:
        found = [
            (text, span)
            for before, (kind, text, span) in zip([None, *tokens], tokens, strict=False)
            if kind == tokenize.NAME and (before is None or before[1] != ".")
        ]
    return [(name, span) for name, span in found if not keyword.iskeyword(name)]


def _blocks(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """Each list of statements that lies in no `if`."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(tree, name, None)
        if isinstance(block, list) and block:
            yield block
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.If):
            yield from _blocks(child)


def _whole_number(node: ast.expr) -> int | None:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return sign * node.value
    return None


def _span_of(node: ast.expr, code: str, starts: Sequence[int]) -> Span:
    """Where an expression stands; the parser counts columns in bytes."""

    def offset(line: int, column: int) -> int:
        start = starts[line - 1]
        text = code[start : starts[line]]
        return start + len(text.encode()[:column].decode())

    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return offset(node.lineno, node.col_offset), offset(node.end_lineno, node.end_col_offset)
