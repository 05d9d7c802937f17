// Where a stop's act is done: scrolled into view when it is out of sight or under the tour's bar, and ringed for a while.

const LOOKED_FOR = 15_000; // ms: some pages load a model first

function settled() {
  return document.querySelector(".stApp")?.dataset.testScriptState !== "running";
}

function point(target) {
  const bar = document.querySelector(".st-key-tour");
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const below = (bar?.offsetHeight ?? 0) + innerHeight / 4; // clear of the bar, with room for what the act brings
  target.style.scrollMargin = `5rem 0 ${below}px`;
  target.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  const ring = { outline: "3px solid var(--policy)", outlineOffset: "6px", borderRadius: "4px" };
  target.animate([ring, { ...ring, offset: 0.8 }, { ...ring, outlineColor: "transparent" }], 4000);
}

export default function ({ data }) {
  if (window.playgroundPointedAt === data.stop) return; // once on coming to a stop, not at each run of its page
  window.playgroundPointedAt = data.stop;
  const until = performance.now() + LOOKED_FOR;
  const looking = setInterval(() => {
    const target = settled() && document.querySelector(`.st-key-${CSS.escape(data.at)}`);
    if (target) point(target);
    if (target || performance.now() > until || window.playgroundPointedAt !== data.stop) clearInterval(looking);
  }, 150);
}
