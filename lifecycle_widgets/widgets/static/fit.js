// Plotly fits a chart to its place only when the window changes; here also when the place does.

export default {
  render({ el }) {
    let box;
    const observer = new ResizeObserver(() => {
      box ??= el.closest(".lw-chart");
      if (box) observer.observe(box); // its height changes when the chart has been drawn
      requestAnimationFrame(() => window.dispatchEvent(new Event("resize")));
    });
    observer.observe(el);
    return () => observer.disconnect();
  },
};
