"""Charts that are drawn with what is installed, without a request to a CDN."""

from __future__ import annotations


def enable_offline() -> None:
    """Make every altair chart of this process show as a widget whose JavaScript comes from vl-convert.

    By default altair's page loads vega from a CDN: blank where there is no network, and a request that tells where the
    corpus is being looked at where there is one. The first call takes about a second, further ones nothing.
    """
    import altair

    altair.JupyterChart.enable_offline()
    altair.renderers.enable("jupyter", offline=True)
