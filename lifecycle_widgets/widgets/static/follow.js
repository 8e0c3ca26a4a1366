// Keeps a conversation at its end while it grows, unless the person has scrolled away from there.

const NEAR_PX = 32; // this close to the end is at the end

export default {
  render({ model, el }) {
    let box; // the part that scrolls
    let follows = true;
    let height = 0;

    function toEnd() {
      if (box && follows) box.scrollTop = box.scrollHeight;
    }
    function scrolled() {
      const grew = box.scrollHeight !== height; // then it was not the person who moved it
      height = box.scrollHeight;
      if (!grew) follows = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX;
    }
    function asked() {
      follows = true; // a new prompt: its answer is what one wants to see
      toEnd();
    }
    const grown = new ResizeObserver(toEnd);
    const changed = new MutationObserver(() => {
      for (const child of box.children) grown.observe(child);
      toEnd();
    });
    const placed = new ResizeObserver(() => {
      const found = el.closest(".lw-talk");
      if (!found || found === box) return;
      box = found;
      box.addEventListener("scroll", scrolled, { passive: true });
      changed.observe(box, { childList: true });
      grown.observe(box);
      for (const child of box.children) grown.observe(child);
      toEnd();
    });
    placed.observe(el);
    model.on("change:_turn", asked);
    return () => {
      for (const observer of [grown, changed, placed]) observer.disconnect();
      box?.removeEventListener("scroll", scrolled);
      model.off("change:_turn", asked);
    };
  },
};
