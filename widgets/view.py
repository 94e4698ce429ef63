"""The one way in which Python and a view speak: state goes down as traits, commands come up as messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from widgets import messages
from workbench.errors import InputError, WorkbenchError

Handler = Callable[[Mapping[str, object]], None]
Report = Callable[[str], None]

_STATIC = Path(__file__).parent / "static"


def script(*stems: str) -> str:
    """A view's module: the shared helpers, then its own files, the last of which has its `render`.

    It travels with the widget, so no page asks for files.
    """
    return "\n".join((_STATIC / f"{name}.js").read_text(encoding="utf-8") for name in ("common", *stems))


def style(stem: str) -> str:
    """A view's style sheet."""
    return (_STATIC / f"{stem}.css").read_text(encoding="utf-8")


class View(anywidget.AnyWidget):
    """A view with one dictionary of state and one handler for each kind of message.

    The view never writes `state`, and Python never reads it back: whatever a visitor of a voila page does to it
    changes only what that visitor sees.

    Parameters
    ----------
    handlers
        What to do with each `{"type": name, ...}` that the view sends.
    report
        Shows a sentence to the person; called with "" when a message was handled without fault.
    """

    state = traitlets.Dict().tag(sync=True)

    def __init__(self, handlers: Mapping[str, Handler], report: Report) -> None:
        super().__init__()
        self._handlers = dict(handlers)
        self._report = report
        self.on_msg(self._receive)

    def _receive(self, _widget: object, content: Any, _buffers: object) -> None:
        handle_message(content, self._handlers, self._report)
        # The page holds what it sent with a ticket as it is until this is answered: hence also on errors.
        ticket = content.get("ticket") if isinstance(content, Mapping) else None
        if isinstance(ticket, str) and len(ticket) <= messages.MAX_TEXT:
            self.send({"type": "done", "ticket": ticket})

    def show(self, state: Mapping[str, Any]) -> None:
        """Show a state."""
        self.state = dict(state)


def handle_message(content: object, handlers: Mapping[str, Handler], report: Report) -> None:
    """Check what kind of message came and hand it on; whatever is wrong with it becomes one sentence."""
    try:
        if not isinstance(content, Mapping):
            raise InputError("the page sent something that is no message; reload it")
        kind = content.get("type")
        if not isinstance(kind, str) or kind not in handlers:
            raise InputError(f"the page sent an unknown message {str(kind)[:40]!r}; reload it")
        report("")
        handlers[kind](content)
    except WorkbenchError as error:
        report(str(error))
    except Exception as error:
        report(f"this failed inside the bench ({type(error).__name__}: {str(error)[:200]}); please report it")
