"""The picture on the page: what has changed since the last one, and the same as a plotly figure.

`Plot` is the widget, drawn by `static/plot`; `difference` is what it sends.
"""
