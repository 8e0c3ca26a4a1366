"""What a reader sees where a widget cannot be: in a saved notebook, without its kernel."""

from __future__ import annotations

from typing import Any

from IPython import get_ipython
from IPython.display import publish_display_data

from lifecycle_widgets.widgets.formats import escaped

_TEXT = "{} is shown while its kernel runs. Run the cell again to see it."

# JupyterLab prefers the widget to all else, also where it is no more, and says only "Error
# displaying widget: model not found". An output after it, without a text of its own, can replace
# these words, and nothing else: of a widget that is there the place has elements in it.
_STYLE = """\
<style class="{mark}">
.jp-OutputArea-child:has(.{mark}) {{ display: none; }}
.jp-OutputArea-child:has(+ .jp-OutputArea-child .{mark}) > .jupyter-widgets:not(:has(*)) {{
  padding-left: var(--jp-code-padding, 5px);
  visibility: hidden;
  font-size: 0;
}}
.jp-OutputArea-child:has(+ .jp-OutputArea-child .{mark}) > .jupyter-widgets:not(:has(*))::after {{
  content: "{text}";
  visibility: visible;
  font-size: var(--jp-content-font-size1, 14px);
}}
</style>
"""


class Instead:
    """Has a widget say how to see it wherever it is not: mix it in before the widget's class."""

    def _repr_mimebundle_(self, **keywords: Any) -> Any:
        bundle = super()._repr_mimebundle_(**keywords)  # type: ignore[misc]
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:  # GitHub, nbviewer, and JupyterLab where it does not trust a notebook
            data["text/html"] = f"<p>{escaped(self._instead())}</p>"
        return bundle

    def _ipython_display_(self) -> None:
        bundle = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        if data is None:
            return
        publish_display_data(data, metadata)
        if hasattr(get_ipython(), "kernel"):
            mark, text = f"lw-instead-{type(self).__name__}", self._instead()
            style = _STYLE.format(mark=mark, text=text)
            publish_display_data({"text/html": style, "text/plain": ""})

    def _instead(self) -> str:
        return _TEXT.format(type(self).__name__)
