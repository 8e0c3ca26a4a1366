"""The parts of `ResourceChart`: from samples and stays to a picture, and from picture to picture.

`scene` is what one picture shows, `series` its numbers, `words` its texts; `rows` and `bands` are
laid out from these, `picture` is the whole as plotly JSON, and `live_figure` shows one after
another.
"""
