// What our own figures share: two pens with the same strokes (canvas and SVG file), colours, a button, the register
// that the download buttons read, and the end of one drawing when the next begins.

function registerFigure(key, figure) {
  window.playgroundFigures ??= new Map();
  window.playgroundFigures.set(key, figure);
}

// With new data Streamlit calls a figure again in the same place and does not end what it began for the old data: that
// would play on, and draw itself over the new. Returns `end`, for when the figure leaves the page.
function inPlaceOf(place, end) {
  place.playgroundEnd?.();
  place.playgroundEnd = end;
  return end;
}

function button(label, title, act) {
  const made = document.createElement("button");
  made.textContent = label;
  made.title = title;
  made.setAttribute("aria-label", title);
  made.onclick = act;
  return made;
}

function channels(colour) {
  return [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
}

function mix(from, to, share) {
  const [a, b] = [channels(from), channels(to)];
  return "#" + a.map((part, i) => Math.round(part + (b[i] - part) * share).toString(16).padStart(2, "0")).join("");
}

function readable(ground) {
  const [red, green, blue] = channels(ground);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#10131A" : "#FBFBFD";
}

function canvasPen(context, ink) {
  return {
    cell(x, y, width, height, colour) {
      context.fillStyle = colour;
      context.fillRect(x, y, width, height);
    },
    text(words, x, y, { align = "left", turned = false, colour = ink, most = Infinity } = {}) {
      let shown = words;
      while (shown.length > 1 && context.measureText(shown).width > most) shown = shown.slice(0, -2) + "…";
      context.fillStyle = colour;
      context.save();
      context.translate(x, y);
      if (turned) context.rotate(-Math.PI / 2);
      context.textAlign = align;
      context.fillText(shown, 0, 0);
      context.restore();
    },
  };
}

function svgPen(ink) {
  const document_ = document.implementation.createDocument("http://www.w3.org/2000/svg", "svg", null);
  const root = document_.documentElement;
  const add = (kind, attributes, words) => {
    const element = document_.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (words !== undefined) element.textContent = words;
    root.appendChild(element);
  };
  return {
    cell: (x, y, width, height, fill) => add("rect", { x, y, width, height, fill }),
    image: (x, y, size, href) => add("image", { x, y, width: size, height: size, href }),
    path: (d, stroke, width, dash = []) =>
      add("path", { d, stroke, "stroke-width": width, fill: "none", ...(dash.length ? { "stroke-dasharray": dash.join(" ") } : {}) }),
    area: (d, fill, stroke) => add("path", { d, fill, stroke, "stroke-width": 0.5 }),
    text: (words, x, y, { align = "left", turned = false, colour = ink } = {}) =>
      add(
        "text",
        {
          x,
          y,
          fill: colour,
          "font-family": "system-ui, sans-serif",
          "font-size": 12,
          "dominant-baseline": "middle",
          "text-anchor": { left: "start", right: "end", center: "middle" }[align],
          ...(turned ? { transform: `rotate(-90 ${x} ${y})` } : {}),
        },
        words,
      ),
    file(width, height) {
      root.setAttribute("width", width);
      root.setAttribute("height", height);
      root.setAttribute("viewBox", `0 0 ${width} ${height}`);
      return new XMLSerializer().serializeToString(root);
    },
  };
}

