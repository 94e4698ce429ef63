"""The bench as a person uses it in the browser: tabs, buttons, handles, lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator

from tests.browser.pages import Notebook
from widgets.shell import TABS

# In the page, since there are more than a hundred boxes.
TICK = """(root, wanted) => {
  for (const box of root.querySelectorAll(".wb-score-check:not([disabled])"))
    if (box.checked !== wanted.includes(box.dataset.score)) box.click();
}"""

# What a tab shows last, where that takes a while.
LAST_SHOWN = {"map": "canvas", "compare": ".wb-overlap tbody tr", "documents": ".wb-reader[data-row]"}


@dataclass(frozen=True)
class BenchPage:
    """The bench on an open notebook."""

    notebook: Notebook

    @property
    def root(self) -> Locator:
        """The bench's own element."""
        return self.notebook.page.locator(".wb-bench")

    def find(self, selector: str) -> Locator:
        """Elements of the bench."""
        return self.root.locator(selector)

    @classmethod
    def wait(cls, notebook: Notebook) -> BenchPage:
        """The bench, once it shows."""
        bench = cls(notebook)
        notebook.see(bench.find(".wb-tab").first)
        return bench

    def see(self, wanted: Locator) -> None:
        """Wait until `wanted` shows, or fail at once with what the bench complains of."""
        complaint = self.find(".wb-message[data-kind=error] .wb-message-text")
        self.notebook.see(wanted.or_(complaint))
        if complaint.is_visible():
            raise AssertionError(f"the bench says: {complaint.text_content()}")

    def tab(self, name: str) -> BenchPage:
        """Choose a tab and wait until it shows."""
        self.find(f".wb-tab[data-tab={name}]").click()
        self.find(f".wb-panel-{name}").wait_for(state="visible")
        return self

    def load(self) -> int:
        """Draw the sample; the number of its documents."""
        self.tab("load").find(".wb-load-button").click()
        loaded = self.find(".wb-loaded[data-documents]")
        self.see(loaded)
        return int(loaded.get_attribute("data-documents") or 0)

    def score(self, names: Iterable[str]) -> BenchPage:
        """Compute just these scores."""
        self.tab("load")
        wanted = set(names)
        self.root.evaluate(TICK, sorted(wanted))
        self.find(".wb-score-button").click()
        for name in wanted:
            self.see(self.find(f"label[data-computed=true] .wb-score-check[data-score={name}]"))
        return self

    def kept(self) -> int:
        """The number of kept documents that the head shows."""
        return int(self.find(".wb-total").get_attribute("data-kept") or -1)

    def wait_until_kept(self, n: int) -> None:
        """Wait until the head shows that `n` documents are kept."""
        self.see(self.find(f".wb-total[data-kept='{n}']"))

    def press(self, score: str, side: str, key: str, times: int) -> None:
        """Focus a handle of a score's histogram, press a key on it, and wait until Python has answered."""
        handle = self.find(f".wb-handle[data-score={score}][data-side={side}]")
        handle.scroll_into_view_if_needed()
        for _ in range(times):
            before = handle.get_attribute("aria-valuenow")
            handle.press(key)
            self.notebook.page.wait_for_function(
                "([handle, before]) => handle.getAttribute('aria-valuenow') !== before",
                arg=[handle.element_handle(), before],
            )
        self.see(self.find(".wb-histograms:not([data-moving])"))

    def recipe_json(self) -> str:
        """The recipe as the Recipe tab shows it."""
        shown = self.tab("recipe").find(".wb-recipe-json")
        self.notebook.page.wait_for_function("(area) => area.value !== ''", arg=shown.element_handle())
        return shown.input_value()

    def take_pictures(self, folder: Path, name: str, *, whole: bool) -> list[Path]:
        """A picture of each tab, as far as the window shows it: `folder`/TAB-`name`.png; `whole`: of scored documents
        with a map and a second draft, so that nothing is wanting.
        """
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for tab, _ in TABS:
            self.tab(tab)
            if whole and tab == "documents":
                self.find(".wb-panel-documents .wb-row").first.click()
            if whole and tab in LAST_SHOWN:
                self.see(self.find(f".wb-panel-{tab} {LAST_SHOWN[tab]}").first)
            paths.append(folder / f"{tab}-{name}.png")
            self.notebook.page.screenshot(path=paths[-1])
        return paths

    def darken(self) -> None:
        """Take JupyterLab's dark theme."""
        page = self.notebook.page
        page.evaluate(
            "() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' })"
        )
        page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
