"""Voila with a limit on what is sent to it, and with the names under which a proxy may pass visitors on.

`python -m widgets.servers app` runs this file; it is voila in all else, and read its file in `config/`.
"""

from __future__ import annotations

from functools import partial

from traitlets import Integer, List, Unicode
from voila.app import Voila


class App(Voila):  # type: ignore[misc]  # voila ships no types
    """The server of `make app`."""

    max_body_size = Integer(
        64 * 1024, min=0, help="Bytes of a request's body; nothing that the page sends by HTTP has more."
    ).tag(config=True)
    host_names = List(
        Unicode(),
        help="Names by which visitors reach it through a proxy; any other is refused, whoever's page names it.",
    ).tag(config=True)

    def listen(self) -> None:
        """Listen with the limit; tornado's own is 100 MB a request, held in memory."""
        names = [*self.app.settings.get("local_hostnames", ()), *self.host_names]
        self.app.settings["local_hostnames"] = names
        self.app.listen = partial(self.app.listen, max_body_size=self.max_body_size)
        super().listen()


if __name__ == "__main__":
    App.launch_instance()
