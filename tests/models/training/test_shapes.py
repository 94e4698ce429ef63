from __future__ import annotations

import pytest

from workbench.errors import InputError
from workbench.models.training.shapes import SHAPES, check_vocabulary, find_shape, make_llama


def test_the_shapes_are_as_large_as_their_names() -> None:
    sizes = {"2M": 4096, "10M": 8192, "30M": 8192, "60M": 16384, "125M": 50257}
    for name, n_vocabulary in sizes.items():
        millions = SHAPES[name].n_parameters(n_vocabulary) / 1e6
        assert 0.95 * int(name[:-1]) <= millions <= 1.3 * int(name[:-1]), (name, millions)
        assert SHAPES[name].hidden_size == 64 * SHAPES[name].n_heads


def test_the_parameters_are_counted_as_the_model_has_them() -> None:
    for name in ("2M", "10M"):
        model = make_llama(SHAPES[name], 300, 64, 0)
        assert sum(p.numel() for p in model.parameters()) == SHAPES[name].n_parameters(300)


def test_an_embedding_of_more_than_twice_the_body_is_refused() -> None:
    shape = SHAPES["2M"]
    check_vocabulary(shape, shape.max_vocabulary)
    assert shape.n_parameters(shape.max_vocabulary) <= 3 * shape.n_body
    with pytest.raises(
        InputError, match=r"a vocabulary of 49,152 tokens is too large for the shape 2M, which takes"
    ):
        check_vocabulary(shape, 49152)
    check_vocabulary(SHAPES["30M"], 49152)


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(InputError, match="there is no shape '3M'; choose one of 2M, 10M, 30M, 60M, 125M"):
        find_shape("3M")
