"""Pure text functions that cut documents out of package files: no files, no network, no randomness."""

from __future__ import annotations

import re

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[\"'(A-Z])")
_FENCE = re.compile(r"^\s*(```|~~~)")
_TURN = re.compile(r"^(?P<new>-\s+-|\s+-)(?:\s+(?P<text>.*))?$")


def split_sentences(text: str) -> list[str]:
    """Sentences of English prose, cut after `.`, `!` or `?` before a capital letter, quote or bracket."""
    return [part for part in _SENTENCE_END.split(text) if part.strip()]


def split_paragraphs(text: str) -> list[str]:
    """Blocks between blank lines, stripped, empty ones left out."""
    return [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]


def pack(pieces: list[str], *, n_chars: int, glue: str) -> list[str]:
    """Join neighbouring pieces until each document has at least `n_chars` characters.

    A short rest goes to the last document, so nothing is lost and no document is a fragment.
    """
    documents: list[str] = []
    held: list[str] = []
    for piece in pieces:
        held.append(piece)
        if sum(map(len, held)) >= n_chars:
            documents.append(glue.join(held))
            held = []
    if held and documents:
        documents[-1] = glue.join([documents[-1], *held])
    elif held:
        documents.append(glue.join(held))
    return documents


def split_markdown(text: str, *, n_chars: int) -> list[str]:
    """Sections of a Markdown page, short ones packed together; a `#` inside a code fence is no heading."""
    sections: list[list[str]] = [[]]
    fenced = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        if not fenced and re.match(r"#{1,4} ", line) and any(part.strip() for part in sections[-1]):
            sections.append([])
        sections[-1].append(line)
    joined = ["\n".join(section).strip() for section in sections]
    return pack([section for section in joined if section], n_chars=n_chars, glue="\n\n")


def parse_conversations(text: str) -> list[list[str]]:
    """Conversations of a chatterbot YAML file, each a list of turns.

    Only the subset of YAML that these files use is read: a list of lists of plain, quoted or block strings. A
    conversation with a turn outside that subset is left out rather than guessed at.
    """
    conversations: list[list[list[str]]] = []
    _, _, body = text.partition("conversations:")
    for line in body.split("\n"):
        match = _TURN.match(line)
        in_block = bool(conversations and conversations[-1][-1][0][:1] in ("|", ">"))
        if match and not (in_block and line.startswith("    ")):
            if match["new"].startswith("-"):
                conversations.append([])
            if conversations:
                conversations[-1].append([(match["text"] or "").strip()])
        elif conversations:
            conversations[-1][-1].append(line)
    parsed = [[_scalar(turn) for turn in turns] for turns in conversations]
    return [[turn for turn in turns if turn] for turns in parsed if len(turns) >= 2 and all(turns)]


def _scalar(lines: list[str]) -> str:
    """One YAML string from its lines; empty when it is not of the kinds that are read."""
    first = lines[0]
    if first[:1] in ("|", ">"):
        return "\n".join(line[4:] if line.startswith("    ") else line.strip() for line in lines[1:]).strip()
    text = " ".join(line.strip() for line in lines if line.strip())
    if text[:1] == "'":
        return text[1:-1].replace("''", "'").strip() if len(text) > 1 and text.endswith("'") else ""
    if text[:1] == '"':
        return text[1:-1].replace('\\"', '"').strip() if len(text) > 1 and text.endswith('"') else ""
    return "" if text[:1] in ("&", "*", "!", "{", "[") else text


def flatten_profile(value: object, heading: str = "") -> list[str]:
    """Lines `Field, subfield: value` of a nested JSON profile, in the order of the file."""
    if isinstance(value, dict):
        lines: list[str] = []
        for key, inner in value.items():
            path = ", ".join(part for part in (heading, "" if key == "text" else str(key)) if part)
            lines += flatten_profile(inner, path)
        return lines
    body = re.sub(r"\s*\+\+\s*", "\n", str(value)).strip()
    return [f"{heading}: {body}" if heading else body] if body else []
