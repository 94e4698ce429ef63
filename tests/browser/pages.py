"""A notebook that is open in the browser, in JupyterLab or as a voila app."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, Response

from tests.browser.serving import Server

_LAB_IS_READY = """() => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  const isConnected = kernel?.connectionStatus === "connected" && kernel.status === "idle";
  return isConnected && panel.content.widgets.length > 0;
}"""
_LAB_RUN_ALL = "() => void window.jupyterapp.commands.execute('notebook:run-all-cells')"
_CELL_FAILED = {
    "lab": ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']",
    "app": "text=There was an error when executing cell",
}


@dataclass(frozen=True)
class Notebook:
    """An open notebook.

    Attributes
    ----------
    page
        Playwright's page.
    response
        The answer that brought the page, with its headers.
    server
        Where it came from.
    """

    page: Page
    response: Response
    server: Server

    @classmethod
    def open(cls, page: Page, server: Server) -> Notebook:
        """Open the page and start its cells; what they show is waited for by who looks for it."""
        response = page.goto(server.page, wait_until="commit" if server.kind == "lab" else "domcontentloaded")
        assert response is not None
        if server.kind == "lab":
            page.wait_for_function(_LAB_IS_READY)
            page.evaluate(_LAB_RUN_ALL)
        return cls(page, response, server)

    def see(self, wanted: Locator) -> None:
        """Wait until `wanted` shows, or fail at once with the server's log if a cell raised."""
        failed = self.page.locator(_CELL_FAILED[self.server.kind])
        wanted.or_(failed).first.wait_for()
        if failed.count():
            log = self.server.log.read_text(errors="replace")[-3000:]
            raise AssertionError(f"a cell raised: {failed.first.text_content()}\n{log}")
