"""The requests on the chart's time axis: their bars, what these say, and whose run each is."""
