"""Forms on a slow kernel: what a person sets while an answer is under way is never lost.

The page is a view's own module with a stub for its model, and the kernel is the view's own class in this process. The
test decides when a message is handled and when its answer reaches the page, so that no test waits for a clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.browser.conftest import Watch, browser
from tests.widgets import conftest as made
from tests.widgets.sending import complain, send
from widgets.budget import Budget
from widgets.copies import METHODS, links
from widgets.duplicates import Duplicates
from widgets.histograms import Histograms
from widgets.job_bar import JobBar
from widgets.recipe import RecipeForm
from widgets.state import BenchState
from widgets.view import View
from workbench.recipe.model import Recipe
from workbench.recipe.schema import parse_recipe, parse_step

pytestmark = pytest.mark.browser

# The fixtures of the views' own tests.
sample, columns, table, state = made.sample, made.columns, made.table, made.state

OPEN = """async ([code, traits]) => {
  const module = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  const heard = {};
  const on = (name, call) => (heard[name] = heard[name] || []).push(call);
  const tell = (name, value) => (heard[name] || []).slice().forEach((call) => call(value));
  // Its own: a view that was here before may still have a timer.
  const sent = window.sent = [];
  window.answer = (answers) => {
    for (const [name, value] of answers) {
      if (name !== "msg:custom") traits[name] = value;
      tell(name === "msg:custom" ? name : `change:${name}`, value);
    }
  };
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const send = (content) => sent.push(content);
  module.default.render({ el, model: { get: (name) => traits[name], on, off() {}, send } });
}"""


@dataclass
class SlowKernel:
    """A view in this process and its page; nothing goes from one to the other unasked.

    Attributes
    ----------
    answers
        What the page wasn't given yet, a list for each message that was handled.
    """

    page: Page
    view: View
    answers: list[list[tuple[str, Any]]] = field(default_factory=list)
    n_handled: int = 0

    def begin(self) -> None:
        """Open the view's page."""
        names = [name for name in self.view.traits(sync=True) if isinstance(getattr(self.view, name), dict)]
        self.view.send = self._send
        self.view.observe(lambda change: self.answers[-1].append((change["name"], change["new"])), names)
        self.page.evaluate(OPEN, [str(self.view._esm), {name: getattr(self.view, name) for name in names}])

    def _send(self, content: Any, buffers: object = None) -> None:
        # A cube comes in bytes, which this page gets none of.
        if buffers is None:
            self.answers[-1].append(("msg:custom", content))

    def handle(self) -> list[dict[str, Any]]:
        """Let Python handle all that was sent so far; the page knows nothing of it yet."""
        sent = self.page.evaluate("window.sent")[self.n_handled :]
        self.n_handled += len(sent)
        for content in sent:
            self.answers.append([])
            send(self.view, **content)
        return list(sent)

    def answer(self, n: int = 1, *, clock: bool = True) -> None:
        """Give the page the answers to the first `n` messages that are out; `clock`: its clock runs."""
        for _ in range(n):
            self.page.evaluate("(answers) => window.answer(answers)", self.answers.pop(0))
        # What the page does next, it does before this comes back.
        if clock:
            self.page.evaluate("() => new Promise((done) => setTimeout(done, 0))")

    def answer_all(self) -> None:
        """Handle and answer until the page has nothing more to say: a view may wait for one answer with the next."""
        while self.handle() or self.answers:
            self.answer(len(self.answers))


@pytest.fixture(scope="module")
def context(playwright: Playwright) -> Iterator[BrowserContext]:
    with browser(playwright, Watch()) as context:
        yield context


@pytest.fixture
def kernel(context: BrowserContext) -> Callable[[View], SlowKernel]:
    def start(view: Any) -> SlowKernel:
        if hasattr(view, "refresh"):
            view.is_shown = True
            view.refresh()
        kernel = SlowKernel(context.pages[0], view)
        kernel.begin()
        return kernel

    return start


PROGRESS = {"what": "k-means", "fraction": 0.25, "note": "about 12 s left"}
STEPS = (
    {"select": "rank", "score": "perplexity", "keep_fraction": 0.5},
    {"select": "band", "score": "n_tokens", "low": 20, "unscored": "drop"},
)


@pytest.fixture
def form(state: BenchState, kernel: Callable[[View], SlowKernel]) -> SlowKernel:
    state.edit(Recipe(tuple(parse_step(step) for step in STEPS)))
    return kernel(RecipeForm(state, complain, say=complain, root=None))


def params(state: BenchState, index: int) -> Any:
    return state.recipe.steps[index].params


def test_no_key_press_on_a_slider_is_lost(form: SlowKernel, state: BenchState) -> None:
    slider = form.page.locator(".wb-param-slider")
    slider.focus()
    for _ in range(2):
        form.page.keyboard.press("ArrowRight")
    form.handle()
    form.answer()  # of the first press, while the second is under way
    assert slider.input_value() == "0.52"
    form.page.keyboard.press("ArrowRight")
    form.answer_all()
    assert params(state, 0).keep_fraction == 0.53
    assert slider.input_value() == "0.53"
    form.answers.append([])
    state.undo()
    form.answer()
    assert slider.input_value() == "0.52", "once all is answered the form shows the state"


def test_no_key_press_on_a_list_or_a_number_is_lost(form: SlowKernel, state: BenchState) -> None:
    seed = form.page.locator(".wb-seed")
    seed.focus()
    for _ in range(2):
        form.page.keyboard.press("ArrowUp")
    form.handle()
    form.answer()
    form.page.keyboard.press("ArrowUp")
    form.answer_all()
    assert state.recipe.seed == 3
    assert seed.input_value() == "3"
    choice = form.page.locator("select[data-param=unscored]")
    assert choice.input_value() == "drop"
    choice.select_option("keep")
    choice.select_option("error")
    form.handle()
    form.answer()
    assert choice.input_value() == "error"
    form.answer_all()
    assert params(state, 1).unscored == "error"


def test_what_is_being_typed_stays_when_an_answer_comes(form: SlowKernel, state: BenchState) -> None:
    low, high = (form.page.locator(f"input[data-param={side}]") for side in ("low", "high"))
    low.focus()
    form.page.keyboard.press("Control+a")
    form.page.keyboard.type("30")
    form.page.keyboard.press("Tab")
    high.focus()
    form.page.keyboard.type("12")
    form.answer_all()
    form.page.keyboard.type("0")
    assert high.input_value() == "120"
    form.page.keyboard.press("Enter")
    form.answer_all()
    assert (params(state, 1).low, params(state, 1).high) == (30, 120)
    assert (low.input_value(), high.input_value()) == ("30", "120")


def test_a_value_that_is_refused_gives_way_to_the_one_that_stands(
    state: BenchState,
    kernel: Callable[[View], SlowKernel],
) -> None:
    heard: list[str] = []
    state.edit(Recipe((parse_step(STEPS[0]),)))
    form = kernel(RecipeForm(state, heard.append, say=heard.append, root=None))
    box = form.page.locator("input.wb-param[data-param=keep_fraction]:not([type=range])")
    box.fill("7")
    box.press("Enter")
    form.answer_all()
    assert "keep_fraction" in heard[-1]
    assert box.input_value() == "0.5"


def test_json_that_is_being_edited_stays_until_it_is_used(form: SlowKernel, state: BenchState) -> None:
    area = form.page.locator(".wb-recipe-json")
    edited = json.loads(area.input_value())
    edited["seed"] = 9
    area.fill(json.dumps(edited))
    form.page.locator(".wb-seed").focus()
    form.page.keyboard.press("ArrowUp")
    form.answer_all()
    assert json.loads(area.input_value())["seed"] == 9
    form.page.locator(".wb-recipe-import").click()
    form.answer_all()
    assert state.recipe == parse_recipe(edited)
    assert area.input_value() == form.view.state["json"]
    area.fill("{")
    form.page.locator(".wb-recipe-discard").click()
    assert area.input_value() == form.view.state["json"]


def test_a_step_is_added_by_keys(form: SlowKernel, state: BenchState) -> None:
    choice = form.page.locator(".wb-step-add")
    choice.focus()
    for _ in range(3):
        form.page.keyboard.press("ArrowDown")
    assert form.handle() == [], "to walk the list adds nothing"
    chosen = choice.input_value()
    form.page.keyboard.press("Tab")
    form.page.keyboard.press("Enter")
    form.answer_all()
    assert [step.select for step in state.recipe.steps] == ["rank", "band", chosen]
    assert choice.input_value() == ""
    assert form.page.evaluate("document.activeElement.className") == "wb-step-add", "the focus isn't lost"


def test_no_key_press_on_the_curve_is_lost(state: BenchState, kernel: Callable[[View], SlowKernel]) -> None:
    rng = np.random.default_rng(0)
    state.loaded.scores["embedding"] = rng.normal(size=(30, 4)).astype(np.float32)
    view = Duplicates(state, complain)
    links(state, METHODS["semdedup"])  # known already, so that it shows at once
    page = kernel(view)
    plot = page.page.locator(".wb-copies-plot")
    plot.focus()
    first = round(view.state["place"] * view.state["places"])
    for _ in range(2):
        page.page.keyboard.press("ArrowRight")
    page.handle()
    page.answer()
    page.page.keyboard.press("ArrowRight")
    assert page.handle()[0]["place"] == first + 3


def test_enter_in_the_budget_solves_what_was_typed(
    state: BenchState, kernel: Callable[[View], SlowKernel]
) -> None:
    view = Budget(state, complain)
    page = kernel(view)
    page.page.locator(".wb-budget-unit").focus()
    page.page.keyboard.press("ArrowDown")
    assert page.page.evaluate("document.activeElement.className") == "wb-budget-unit", "the focus stays"
    page.page.locator(".wb-budget-amount").fill("7")
    page.page.keyboard.press("Enter")
    page.handle()
    view._aside.wait(60)
    page.page.evaluate("1")  # lets this thread's loop take the result
    page.answer(len(page.answers))
    assert page.page.locator(".wb-budget-solution").get_attribute("data-reached") == "7"


def test_a_threshold_that_is_being_typed_stays_when_an_answer_comes(
    state: BenchState, kernel: Callable[[View], SlowKernel]
) -> None:
    state.thresholds.set("n_tokens", 20.0, None)  # its chart stays at the step then
    page = kernel(Histograms(state, complain))
    low = page.page.locator(".wb-bound-low[data-score=n_tokens]")
    high = page.page.locator(".wb-bound-high[data-score=n_tokens]")
    low.select_text()
    page.page.keyboard.type("30")
    page.page.keyboard.press("Enter")
    high.focus()
    page.page.keyboard.type("12")
    page.answer_all()
    page.page.keyboard.type("0")
    page.answers.append([])
    state.thresholds.set("n_tokens", 40.0, 200.0)  # from another tab
    page.answer()
    assert (low.input_value(), high.input_value()) == ("40", "120")
    page.page.keyboard.press("Enter")
    page.answer_all()
    assert (params(state, 0).low, params(state, 0).high) == (40, 120)
    assert (low.input_value(), high.input_value()) == ("40", "120")


def test_the_bar_shows_what_takes_longer_than_a_blink_until_it_ends(
    context: BrowserContext, kernel: Callable[[View], SlowKernel]
) -> None:
    stopped: list[str] = []
    view = JobBar(complain, lambda: stopped.append("stop"))
    context.pages[0].clock.install(time=0)
    page = kernel(view)
    page.page.clock.pause_at(10_000)
    bar = page.page.locator(".wb-progress")

    def show(progress: dict[str, Any] | None) -> None:
        page.answers.append([])
        view.show_progress(progress)
        page.answer(clock=False)

    for _ in range(2):
        show(PROGRESS)
        page.page.clock.run_for(250)
        assert not bar.is_visible()
        show(None)
        page.page.clock.run_for(1000)
        assert not bar.is_visible()
    show(PROGRESS)
    page.page.clock.run_for(350)
    assert bar.is_visible()
    shown = page.page.locator(".wb-progress-bar")
    assert shown.get_attribute("aria-valuenow") == "25"
    assert shown.get_attribute("aria-valuetext") == "k-means – 25 %, about 12 s left"
    page.page.locator(".wb-stop").click()
    assert page.page.locator(".wb-stop").is_disabled()
    page.handle()
    assert stopped == ["stop"]
    page.answers.clear()
    page.page.clock.run_for(1)  # a pointer was down until now
    show(None)
    assert not bar.is_visible()
