"""Work side by side on a CPU, each piece on one thread: its bits then don't depend on how many threads there are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from workbench.models.transformer import changes_itself

Each = Callable[..., Iterator[Any]]
"""Something like `map`."""

_AHEAD = 2


@contextmanager
def side_by_side(where: str, model: Any = None) -> Iterator[Each]:
    """Give a `map` whose calls run side by side if `where` is "cpu", and one after the other elsewhere.

    They run one after the other, too, if a forward pass changes the model that they use.

    Results come in order, and only two calls a thread are begun before their results are asked for.

    Notes
    -----
    Threads that share one product wait for each other at the end of it; pieces of their own don't.
    """
    import torch

    n = torch.get_num_threads()
    if where != "cpu" or n == 1 or (model is not None and changes_itself(model)):
        yield map
        return
    # This thread too: a team of threads that torch made for it would go on waiting in a busy loop.
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(n, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield partial(_in_order, pool, _AHEAD * n)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(n)


def _in_order(
    pool: ThreadPoolExecutor, ahead: int, function: Callable[..., Any], *of: Iterable[Any]
) -> Iterator[Any]:
    waiting: deque[Future[Any]] = deque()
    for given in zip(*of, strict=True):
        waiting.append(pool.submit(function, *given))
        if len(waiting) == ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
