"""The pictures of the experiments' results: the one place in experiments that draws.

A result imports its picture when ``.figure`` is read, so measuring needs no plotly.
"""
