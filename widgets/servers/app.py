"""Voila with a limit on what is sent to it, and with the names under which a proxy may pass visitors on.

`python -m widgets.servers app` runs this file; it is voila in all else, and read its file in `config/`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from traitlets import Integer, List, Unicode
from voila.app import Voila
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler


class Leave(VoilaShutdownKernelHandler):  # type: ignore[misc]  # voila ships no types
    """Ends the kernel of a page that is left.

    What a page says as it is left can't carry the token against forged requests, and voila refused it: the kernel held
    its place until it was idle for long. Here the kernel's id is token enough: no one else's page knows it.
    """

    def check_xsrf_cookie(self) -> None:
        """Ask for none."""


class App(Voila):  # type: ignore[misc]  # voila ships no types
    """The server of `make app`."""

    max_body_size = Integer(
        64 * 1024, min=0, help="Bytes of a request's body; nothing that the page sends by HTTP has more."
    ).tag(config=True)
    host_names = List(
        Unicode(),
        help="Names by which visitors reach it through a proxy; any other is refused, whoever's page names it.",
    ).tag(config=True)

    def init_handlers(self) -> list[Any]:
        """Voila's own, but for how a page is left."""
        return [
            (url, Leave, *more) if handler is VoilaShutdownKernelHandler else (url, handler, *more)
            for url, handler, *more in super().init_handlers()
        ]

    def listen(self) -> None:
        """Listen with the limit; tornado's own is 100 MB a request, held in memory."""
        names = [*self.app.settings.get("local_hostnames", ()), *self.host_names]
        self.app.settings["local_hostnames"] = names
        self.app.listen = partial(self.app.listen, max_body_size=self.max_body_size)
        super().listen()


if __name__ == "__main__":
    App.launch_instance()
