"""CCNet's normalisation, against its steps written out one by one and against datatrove's."""

from __future__ import annotations

import importlib
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.models.ngram.ccnet_text import check_newline_mode, lines_of, normalized

TEXTS = [
    "", "  ", "Hello, World!", "Él pagó 25,30 € — 100％…", "world\nnext", "a\tb\x00c\x9fd\x85e\u2028f",
    "“quoted” «text» 「here」 《too》 ´x´", "ＦＵＬＬ１２３ width１", "٣ Arabic, ३ Devanagari", "Ǆ ﬁ İstanbul ẞ",
    "日本語。テスト、です！",
    "e\u0301\u0302 combining", "x² ½ Ⅷ", "（a）；b–c—d．e～f’g━h〈i〉【j】►k∶l：m？n",
]  # fmt: skip


def datatrove():
    perplexity = importlib.import_module("datatrove.utils.perplexity")
    return perplexity.KenlmModel("folder", "en")


def steps(text: str) -> str:
    """The published order of steps, with datatrove's copy of the table of punctuation."""
    text = text.strip()
    text = text.lower()
    text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    text = re.sub(r"\d", "0", text)
    table = datatrove().unicode_punct
    text = "".join(table.get(c, c) for c in text)
    return re.sub(f"[{''.join(map(chr, [*range(32), *range(127, 160)]))}]", "", text)


@pytest.mark.parametrize("text", TEXTS)
def test_the_steps_are_those_of_ccnet(text: str) -> None:
    assert normalized(text) == steps(text)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_any_text_goes_through_the_steps_of_ccnet(text: str) -> None:
    assert normalized(text) == steps(text)


@pytest.mark.parametrize("text", [t for t in TEXTS if not re.search(r"\d[\d.,]", t)])
def test_datatrove_agrees_where_no_number_has_two_digits(text: str) -> None:
    """It makes one 0 of a whole number, where CCNet makes one of each digit."""
    assert normalized(text).strip() == datatrove().normalize(text).strip()


def test_a_full_width_one_is_a_digit_before_the_table_could_make_it_a_quotation_mark() -> None:
    assert datatrove().unicode_punct["１"] == '"'
    assert normalized("１２") == steps("１２") == "00"


def test_newlines_are_deleted_or_part_sentences() -> None:
    text = " One\n\n \n\ttwo\r\nthree "
    assert lines_of(text, "ccnet") == ["one twothree"]
    assert lines_of(text, "per_line") == ["one", "two", "three"]
    assert lines_of(" \n\t", "ccnet") == lines_of("", "per_line") == []


def test_half_of_a_surrogate_pair_is_replaced() -> None:
    assert normalized("a\ud800b") == "a\N{REPLACEMENT CHARACTER}b"


def test_an_unknown_newline_mode_is_refused() -> None:
    with pytest.raises(InputError, match="newline_mode must be one of ccnet, per_line, got 'lines'"):
        check_newline_mode("lines")
