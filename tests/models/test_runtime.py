import pytest

from workbench.errors import ModelError
from workbench.models import runtime


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ({"AuthenticAMD", "avx512_bf16"}, "bfloat16"),
        ({"GenuineIntel", "avx512_bf16", "amx_bf16"}, "bfloat16"),
        ({"GenuineIntel", "avx512_bf16"}, "float32"),
        ({"AuthenticAMD", "avx2"}, "float32"),
        (set(), "float32"),
    ],
)
def test_bfloat16_is_taken_where_the_cpu_is_faster_in_it(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], dtype: str
) -> None:
    monkeypatch.setattr(runtime, "_cpu_flags", lambda: frozenset(flags))
    assert runtime.fast_cpu_dtype() == dtype


def test_an_asked_for_dtype_wins_and_another_is_refused() -> None:
    assert runtime.resolve_dtype("bfloat16") == "bfloat16"
    with pytest.raises(ModelError, match="dtype must be float32 or bfloat16, got 'int8'"):
        runtime.resolve_dtype("int8")


@pytest.mark.parametrize(
    ("parallelism", "threads", "name"),
    [
        (None, None, "cpu, 7 threads"),
        ("true", "3", "cpu, 3 threads"),
        ("false", "3", "cpu, 1 thread"),
        ("", "3", "cpu, 1 thread"),
        (None, "0", "cpu, 7 threads"),
        (None, "many", "cpu, 7 threads"),
    ],
)
def test_a_tokenizer_runs_on_the_threads_that_its_library_takes(
    monkeypatch: pytest.MonkeyPatch, parallelism: str | None, threads: str | None, name: str
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 7)
    for variable, value in (("TOKENIZERS_PARALLELISM", parallelism), ("RAYON_NUM_THREADS", threads)):
        if value is None:
            monkeypatch.delenv(variable, raising=False)
        else:
            monkeypatch.setenv(variable, value)
    assert runtime.tokenizer_device_name() == name
