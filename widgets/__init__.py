"""The Jupyter widgets of the workbench: `from widgets import Bench, LossCurve, ProgressBar`.

What a browser test can hold on to. Everything lies within `.wb-bench`; numbers stand in data attributes without
separators.

| where | classes and attributes |
|---|---|
| head | `.wb-tab.wb-tab-NAME[data-tab][aria-selected]`; `.wb-total[data-kept][data-documents]`; `.wb-undo[data-left]`, `.wb-redo`; `.wb-message[data-kind=error|info]` > `.wb-message-text`, `.wb-message-close`; `.wb-problem` |
| drafts | `.wb-draft`, `.wb-draft-parent`, `.wb-draft-branch`, `-duplicate`, `-rename`, `-delete`, `-restore`; `.wb-draft-ask` > `.wb-draft-name`, `.wb-draft-ok`, `.wb-draft-cancel`; `.wb-history-open[aria-expanded]`, `.wb-change[data-position][aria-current]`; `.wb-saved-note` |
| panels | `.wb-panel.wb-panel-NAME`, NAME one of load, map, scores, documents, votes, recipe, compare, export |
| Load | `.wb-load-path`, `-n`, `-seed`, `-by-source`, `-text-column`, `-id-column`, `-source-column`, `-button`; `.wb-loaded[data-documents]`; `.wb-load-summary tr[data-source]`; `.wb-quarantine`; `.wb-score-check[data-score]` in `label[data-computed=true]`; `.wb-score-family[data-family]`; `.wb-score-button`; `.wb-progress`, `.wb-progress-what`, `.wb-progress-bar[aria-valuenow]`, `.wb-stop` |
| saved work (on Load) | `.wb-saved-path`, `-save`, `-open`, `-compute`, `-status[data-path]`, `-notes` |
| Map | `.wb-map-plot canvas`; `.wb-map-compute`; `.wb-color-by`; `.wb-mode[data-mode=panZoom|lasso]`; `.wb-legend-entry[data-index]`; `.wb-lassoed[data-selected]`, `.wb-lassoed-kept[data-kept]`; `.wb-show-selection`, `.wb-clear-selection` |
| Scores | `.wb-chip[data-family]`, `.wb-score-search`, `.wb-roots`; `.wb-card[data-score]` (`.wb-active` with a threshold) > `.wb-handle[data-score][data-side=low|high][aria-valuenow][aria-valuetext]`, `.wb-bound[data-score][data-side]`, `.wb-quantile[data-score]`, `.wb-clear`, `.wb-unscored`; `.wb-category[data-score][data-label]`; `.wb-kept-documents[data-kept]`, `.wb-kept-tokens[data-kept]`, `.wb-sources tr[data-source][data-kept]` |
| Documents | `.wb-show[data-show=dropped|kept|all|selection]`; `.wb-filter-source`, `.wb-filter-step`, `.wb-only`, `.wb-filter-cluster`, `.wb-order`, `.wb-draw`, `.wb-disagree-0`, `.wb-disagree-1`, `.wb-text-search`, `.wb-search-on`; `.wb-row[data-row]`; `.wb-prev`, `.wb-next`, `.wb-page[data-found]`; `.wb-reader[data-row]` > `.wb-doc-source`, `.wb-doc-id`, `.wb-verdict[data-kept]` > `.wb-step`, `.wb-reason`, then `.wb-also`, `.wb-doc-scores`, `.wb-copies` > `.wb-copy[data-row]`, `.wb-surprise-button`, `.wb-bits`, `.wb-compared[data-other]`, `.wb-text[data-chars]`, `.wb-more` |
| Votes | `.wb-draw-n`, `.wb-draw-kind`, `.wb-draw-score`, `.wb-draw-share`, `.wb-draw-votes`; `.wb-ballot-text[data-at]`, `.wb-vote[data-vote]` (keys k, d, s; u undoes), `.wb-votes-done[data-done][data-n]`; `.wb-reveal`, `.wb-precision`, `.wb-recall` and `.wb-dropped-good` with `[data-value][data-low][data-high]`, `.wb-wrong-row[data-row][data-kept]` |
| Recipe | `.wb-step-add`, `.wb-seed`; `.wb-step-card[data-step]` > `.wb-param[data-step][data-param]`, `.wb-param-mode`, `.wb-step-up`, `.wb-step-down`, `.wb-step-remove`, `.wb-step-drops[data-dropped]`; `.wb-recipe-json`, `.wb-recipe-import`, `.wb-recipe-path`, `.wb-recipe-save`, `.wb-recipe-open` |
| Compare | `.wb-compare-a`, `-b`, `-swap`, `-path`, `-load`, `-hint`; `.wb-overlap tr[data-part=both|only_a|only_b|neither|a|b][data-documents][data-tokens]`, `.wb-jaccard[data-documents]`; `.wb-compare-map-a`, `-b`; `.wb-shift-source tr[data-name][data-a][data-b]`, `.wb-shift-cluster`, `.wb-shift-scores tr[data-score][data-difference]`; `.wb-compare-part[data-part]`, `.wb-row[data-row]`, `.wb-reader[data-row]` > `.wb-verdict[data-side=A|B][data-kept]` |
| LossCurve | `.wb-loss-curve[data-step][data-loss]` > `.wb-train`, `.wb-stop`, `.wb-loss-progress`, `.wb-loss-note`, `.wb-loss-message[data-kind=error|info]`, `.wb-loss-plot` |
| Export | `.wb-output[data-kind]`, in each `.wb-export-path`, `.wb-export-button`; `.wb-ask`, `.wb-ask-replace`, `.wb-written`, `.wb-code`, `.wb-basis`, `.wb-expected tr[data-source]` |
"""  # noqa: E501 - a table can't be wrapped

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from widgets.bench import Bench
    from widgets.loss_curve import LossCurve
    from widgets.progress_bar import ProgressBar

__all__ = ["Bench", "LossCurve", "ProgressBar"]


def __getattr__(name: str) -> Any:
    # Not imported at once: a Jupyter server imports widgets.servers from here, and needs none of the bench.
    if name == "Bench":
        from widgets.bench import Bench

        return Bench
    if name == "LossCurve":
        from widgets.loss_curve import LossCurve

        return LossCurve
    if name == "ProgressBar":
        from widgets.progress_bar import ProgressBar

        return ProgressBar
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
