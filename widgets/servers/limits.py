"""What one visitor of the app may take of the machine: memory, and kernels in all."""

from __future__ import annotations

import resource
from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError
from traitlets import Integer


class LimitedKernels(AsyncMappingKernelManager):
    """Starts at most so many kernels; who comes later is told to come back, and costs nothing.

    A kernel that isn't used for a while is ended, also where its page is still open: `cull_idle_timeout` and
    `cull_connected` in `config/voila.json`.
    """

    max_kernels = Integer(8, min=1, help="Kernels, one a visitor, that run at the same time.").tag(
        config=True
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]  # as jupyter_server has it
        self._n_starting = 0

    async def start_kernel(self, **kwargs: Any) -> str:  # type: ignore[override]  # of the base it is an attribute
        """Start a kernel as usual, if there is room.

        Raises
        ------
        HTTPError
            503 if there is none.
        """
        # Those that are being started aren't in the list yet, and many may be asked for at once.
        if len(self.list_kernel_ids()) + self._n_starting >= self.max_kernels:
            raise HTTPError(503, reason="All places are taken; come back in some minutes")
        self._n_starting += 1
        try:
            return str(await super().start_kernel(**kwargs))
        finally:
            self._n_starting -= 1


def limit_memory(gigabytes: float) -> None:
    """Let this process, and each that it starts, have at most so much memory of its own.

    Linux counts what a process writes to (RLIMIT_DATA): the libraries that torch maps and the address space that it
    reserves, tens of gigabytes with CUDA, don't count, or no sensible limit would let it start. Where a process asks
    for more, Python raises MemoryError, and the bench shows that; a library that can't go on ends its kernel, and no
    other.
    """
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    n_bytes = int(gigabytes * 2**30)
    if hard != resource.RLIM_INFINITY:
        n_bytes = min(n_bytes, hard)  # a limit that is set already can't be raised
    resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, n_bytes))
