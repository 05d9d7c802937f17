// A head as arcs between tokens: from a query back to what it looks at, as thick as the weight. Hover or arrow keys
// preview one token, click or Enter locks it, a second time unlocks it. Tokens are set as textContent, never parsed.

const SPACE = "http://www.w3.org/2000/svg";
const FONT = "14px system-ui, sans-serif";
const [NARROW, GENEROUS] = [16, 56]; // between tokens: a short sentence takes the room there is
const HIGHEST = 230;
const BASE = 34; // room under the arcs for a line of tokens

export default function ({ data, parentElement, setTriggerValue }) {
  const scroll = parentElement.querySelector(".scroll");
  const detail = parentElement.querySelector(".detail");
  const { tokens, links } = data;
  const ruler = document.createElement("canvas").getContext("2d");
  ruler.font = FONT;
  let hovered = null;
  let locked = data.locked;

  const shown = tokens.map((token) => (token.length > 24 ? `${token.slice(0, 23)}…` : token));
  const widths = shown.map((token) => Math.max(18, ruler.measureText(token).width));
  const left = scroll.clientWidth - widths.reduce((sum, one) => sum + one, 0);
  const between = Math.min(GENEROUS, Math.max(NARROW, left / (tokens.length + 1) - 1));
  const centres = [];
  let width = between;
  widths.forEach((one) => {
    centres.push(width + one / 2);
    width += one + between;
  });
  const reach = Math.max(40, ...links.map(([query, key]) => (centres[query] - centres[key]) / 2));
  // half a circle where there is room; else the root of the distance, so that near arcs do not lie flat
  const rise = (half) => (reach <= HIGHEST ? half : HIGHEST * Math.sqrt(half / reach));
  const top = Math.min(HIGHEST, reach) + 26;
  const height = top + BASE;

  const make = (kind, attributes, parent) => {
    const element = document.createElementNS(SPACE, kind);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    parent.appendChild(element);
    return element;
  };
  const arc = (query, key) => {
    if (query === key) return `M ${centres[query] - 5} ${top} c -7 -20 17 -20 10 0`;
    const half = (centres[query] - centres[key]) / 2;
    return `M ${centres[query]} ${top} A ${half} ${rise(half)} 0 0 0 ${centres[key]} ${top}`;
  };

  // A long sentence is a thicket: where nobody points, the token that asks keeps its arcs.
  const focused = () => locked ?? hovered ?? data.resting;

  const build = () => {
    const svg = document.createElementNS(SPACE, "svg");
    for (const [name, value] of Object.entries({ xmlns: SPACE, width, height, viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: 0, "aria-label": data.alt }))
      svg.setAttribute(name, value);
    const focus = focused();
    const asked = [];
    links.forEach(([query, key, weight]) => {
      const from = focus === query;
      const to = focus === key && !from;
      const colour = to ? data.key_colour : data.query_colour;
      const path = {
        d: arc(query, key),
        fill: "none",
        stroke: colour,
        "stroke-width": 0.75 + 5 * weight,
        "stroke-opacity": focus === null ? 0.25 + 0.75 * weight : from || to ? 0.35 + 0.65 * weight : 0.06,
        "stroke-linecap": "round",
        ...(to ? { "stroke-dasharray": "2 7" } : {}),
      };
      if (from || to) asked.push(path);
      else make("path", path, svg);
    });
    asked.forEach((path) => make("path", path, svg)); // what is asked for lies on top
    const weights = new Map(links.filter(([query]) => query === focus).map(([, key, weight]) => [key, weight]));
    shown.forEach((token, index) => {
      const chosen = index === focus;
      const text = make(
        "text",
        {
          x: centres[index],
          y: top + 18,
          "text-anchor": "middle",
          "font-family": "system-ui, sans-serif",
          "font-size": 14,
          "font-weight": chosen ? 700 : 400,
          fill: chosen ? data.query_colour : weights.has(index) ? data.key_colour : data.ink,
          "fill-opacity": focus === null || chosen || weights.has(index) ? 1 : 0.55,
          ...(chosen && locked !== null ? { "text-decoration": "underline" } : {}),
        },
        svg,
      );
      text.textContent = token;
      if (weights.has(index)) {
        const share = make("text", { x: centres[index], y: top + 32, "text-anchor": "middle", "font-family": "system-ui, sans-serif", "font-size": 11, fill: data.key_colour }, svg);
        share.textContent = `${Math.round(100 * weights.get(index))} %`;
      }
    });
    return svg;
  };
  const say = () => {
    const focus = focused();
    if (focus === null) {
      detail.textContent = data.hint;
      return;
    }
    const seen = links.filter(([query]) => query === focus).sort((a, b) => b[2] - a[2]);
    const most = seen.slice(0, 3).map(([, key, weight]) => `${tokens[key]} ${(100 * weight).toFixed(1)} %`);
    const by = links.filter(([query, key]) => key === focus && query !== focus).length;
    detail.textContent =
      `Q ${tokens[focus]} looks at K ${most.join(", ")}` +
      (by ? `; looked at by ${by} later token${by === 1 ? "" : "s"} (dashed)` : "") +
      (locked === null ? "" : "  (locked: click again to unlock)");
  };
  const refresh = () => {
    const active = scroll.getRootNode().activeElement?.tagName === "svg";
    const at = scroll.scrollLeft;
    const svg = build();
    svg.onpointermove = (event) => {
      const x = event.clientX - svg.getBoundingClientRect().left;
      const found = centres.findIndex((centre, index) => Math.abs(x - centre) <= (widths[index] + between) / 2);
      const next = found < 0 ? null : found;
      if (next === hovered) return;
      hovered = next;
      if (locked === null) refresh();
    };
    svg.onpointerleave = () => {
      if (hovered === null) return;
      hovered = null;
      if (locked === null) refresh();
    };
    svg.onclick = () => hovered !== null && lock(hovered);
    svg.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const from = focused();
      if (step) {
        hovered = from === null ? 0 : Math.min(tokens.length - 1, Math.max(0, from + step));
        if (locked !== null) lock(locked);
        else refresh();
      } else if ((event.key === "Enter" || event.key === " ") && from !== null) lock(from);
      else if (event.key === "Escape" && locked !== null) lock(locked);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    scroll.replaceChildren(svg);
    scroll.scrollLeft = at;
    if (active) svg.focus();
    say();
  };
  const lock = (index) => {
    locked = locked === index ? null : index;
    refresh();
    setTriggerValue("picked", { token: locked });
  };
  refresh();
  if (focused() !== null) scroll.scrollLeft = centres[focused()] - scroll.clientWidth / 2;
  registerFigure(data.key, {
    svg: () => new XMLSerializer().serializeToString(build()),
    csv: () => [["query", "key", "weight"], ...links.map(([query, key, weight]) => [tokens[query], tokens[key], weight])],
  });
}
