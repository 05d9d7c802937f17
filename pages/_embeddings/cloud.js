// A cloud of named points on one canvas, in two dimensions or turning in three. Names are foreign text: drawn as glyphs
// or set as textContent, never parsed.

const TALL = 460;
const MARGIN = 26;
const NAME = 17; // pixels from one name to the next
const REACH = 14; // pixels within which a point is found

export default function ({ data, parentElement, setTriggerValue }) {
  const canvas = parentElement.querySelector("canvas");
  const detail = parentElement.querySelector(".detail");
  const ink = hex(getComputedStyle(canvas).color);
  const ground = data.ground;
  const [xs, ys, zs] = data.points;
  const solid = Boolean(zs);
  const count = xs.length;
  const [px, py, depth] = [new Float32Array(count), new Float32Array(count), new Float32Array(count)];
  let [width, height] = [600, TALL];
  let hovered = data.ids.indexOf(canvas.pointed ?? -1);
  if (hovered === -1) hovered = null;
  let locked = data.locked === "" ? null : data.ids.indexOf(Number(data.locked));
  if (locked === -1) locked = null;
  let only = data.only === "" ? null : Number(data.only);

  const start = { turn: solid ? 0.6 : 0, tilt: solid ? 0.35 : 0, zoom: 1, right: 0, down: 0 };
  const view = { ...start };
  data.view.split("_").forEach((part, at) => {
    const name = Object.keys(start)[at];
    if (name && part !== "" && Number.isFinite(Number(part))) view[name] = Number(part);
  });
  const tellView = () => {
    const values = Object.keys(start).map((name) => Number(view[name].toFixed(2)));
    const same = Object.values(start).every((value, at) => Math.abs(value - values[at]) < 0.005);
    setTriggerValue("view", { value: same ? "" : values.join("_") });
  };

  const middle = (values) => (Math.max(...values) + Math.min(...values)) / 2;
  const span = (values) => Math.max(...values) - Math.min(...values) || 1;
  const centre = data.points.map(middle);
  const spans = data.points.map(span); // every axis fills the frame: the longest would else leave the others no room
  const project = () => {
    const [c, s, ct, st] = [Math.cos(view.turn), Math.sin(view.turn), Math.cos(view.tilt), Math.sin(view.tilt)];
    const room = solid ? 0.72 : 1; // a cube that turns reaches beyond its sides
    const scaleX = view.zoom * room * (width - 2 * MARGIN);
    const scaleY = view.zoom * room * (height - 2 * MARGIN);
    for (let i = 0; i < count; i++) {
      let [x, y] = [(xs[i] - centre[0]) / spans[0], (ys[i] - centre[1]) / spans[1]];
      let z = solid ? (zs[i] - centre[2]) / spans[2] : 0;
      if (solid) {
        [x, z] = [x * c + z * s, z * c - x * s];
        [y, z] = [y * ct - z * st, z * ct + y * st];
      }
      px[i] = width / 2 + x * scaleX + view.right;
      py[i] = height / 2 - y * scaleY + view.down;
      depth[i] = z;
    }
  };

  const shown = (i) => only === null || data.shades[i] === only;
  const colourOf = (i) => (data.shades[i] < 0 ? mix(ground, ink, 0.35) : data.colours[data.shades[i]]);
  const words = (i) => `${data.pieces[i]} · id ${data.ids[i]} · ${data.notes[i]}`;
  const say = () => {
    const at = hovered ?? locked;
    detail.textContent = at === null ? data.hint : words(at) + (at === locked ? "  (locked: click again to unlock)" : "");
  };

  const line = (pen, from, to, shade, thick) => pen.path(`M${px[from].toFixed(1)} ${py[from].toFixed(1)}L${px[to].toFixed(1)} ${py[to].toFixed(1)}`, shade, thick);
  // Names beside the crowd, one under the other, each with a thin line to its point.
  const names = (pen, labelled) => {
    const seen = labelled.filter(([i]) => px[i] >= 0 && px[i] <= width && py[i] >= 0 && py[i] <= height);
    seen.sort(([a], [b]) => py[a] - py[b]);
    const most = Math.max(...seen.map(([i]) => px[i]));
    const least = Math.min(...seen.map(([i]) => px[i]));
    const left = most > width - 150 && least > 150;
    const x = left ? least - 36 : Math.min(most + 36, width - 120);
    let y = Math.min(height / 2, seen.reduce((sum, [i]) => sum + py[i], 0) / seen.length) - (seen.length * NAME) / 2;
    y = Math.max(24, Math.min(y, height - 24 - seen.length * NAME));
    for (const [i, label] of seen) {
      pen.path(`M${px[i].toFixed(1)} ${py[i].toFixed(1)}L${x} ${y.toFixed(1)}`, mix(ground, ink, 0.6), 0.7);
      pen.text(label, x + (left ? -4 : 4), y, { align: left ? "right" : "left", most: 160 });
      y += NAME;
    }
  };
  // Every mark once, for the canvas and for the SVG file alike.
  const paint = (pen) => {
    const order = Array.from({ length: count }, (_, i) => i);
    const rank = (i) => (data.shades[i] < 0 ? Infinity : data.shades[i]); // the first of the legend lies on top
    order.sort(solid ? (a, b) => depth[a] - depth[b] : (a, b) => (rank(a) === rank(b) ? a - b : rank(b) - rank(a)));
    const size = count > 2000 ? 3 : 5;
    const accented = new Set([...data.near, ...data.path]);
    if (data.focus !== null) accented.add(data.focus);
    for (const i of order) {
      if (px[i] < 0 || py[i] < 0 || px[i] > width || py[i] > height || accented.has(i)) continue;
      const side = solid ? size * (1 + 0.5 * depth[i]) : size;
      pen.cell(px[i] - side / 2, py[i] - side / 2, side, side, shown(i) ? colourOf(i) : mix(ground, ink, 0.1));
    }
    for (let at = 1; at < data.path.length; at++) line(pen, data.path[at - 1], data.path[at], ink, 1.2);
    if (data.focus !== null) for (const i of data.near) line(pen, data.focus, i, ink, 0.8);
    const dot = (i, side) => {
      pen.cell(px[i] - side / 2 - 1.5, py[i] - side / 2 - 1.5, side + 3, side + 3, ink);
      pen.cell(px[i] - side / 2, py[i] - side / 2, side, side, colourOf(i));
    };
    const labelled = [];
    const places = new Map();
    data.path.forEach((i, at) => places.set(i, [...(places.get(i) ?? []), at]));
    if (data.focus !== null) {
      dot(data.focus, 12);
      const also = places.has(data.focus) ? `${places.get(data.focus).join(", ")} ` : "";
      labelled.push([data.focus, also + data.pieces[data.focus]]);
      places.delete(data.focus);
    }
    for (const i of data.near) {
      dot(i, 7);
      if (!places.has(i)) labelled.push([i, data.pieces[i]]);
    }
    for (const [i, at] of places) {
      dot(i, 8);
      labelled.push([i, `${at.join(", ")} ${data.pieces[i]}`]);
    }
    names(pen, labelled);
    pen.text(data.axes[0] + " →", width - 8, height - 10, { align: "right" });
    if (solid) pen.text(`${data.axes[1]} ↑   ${data.axes[2]} ⊙`, 8, 12);
    else pen.text(`↑ ${data.axes[1]}`, 8, 12);
  };

  const draw = () => {
    width = canvas.clientWidth || 600;
    height = TALL;
    const ratio = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [Math.ceil(width * ratio), Math.ceil(height * ratio)];
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.font = "13px system-ui, sans-serif";
    context.textBaseline = "middle";
    project();
    const pen = canvasPen(context, ink);
    pen.path = (d, stroke, thick) => {
      [context.strokeStyle, context.lineWidth] = [stroke, thick];
      context.stroke(new Path2D(d));
    };
    const plain = pen.text;
    pen.text = (label, x, y, options = {}) => {
      const wide = Math.min(context.measureText(label).width, options.most ?? Infinity);
      context.globalAlpha = 0.75; // a pale ground, so that a name can be read in a crowd
      pen.cell(options.align === "right" ? x - wide - 2 : x - 2, y - 8, wide + 4, 16, ground);
      context.globalAlpha = 1;
      plain(label, x, y, options);
    };
    paint(pen);
    for (const [i, thick] of [[locked, 3], [hovered, 2]]) {
      if (i === null) continue;
      [context.strokeStyle, context.lineWidth] = [ink, thick];
      context.beginPath();
      context.arc(px[i], py[i], 9, 0, 2 * Math.PI);
      context.stroke();
    }
    if (hovered !== null) {
      const left = px[hovered] > width - 120;
      pen.text(data.pieces[hovered], px[hovered] + (left ? -14 : 14), py[hovered], { align: left ? "right" : "left" });
    }
  };
  let pending = false;
  const refresh = () => {
    say();
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      draw();
    });
  };

  const under = (x, y) => {
    let [best, nearest] = [null, REACH ** 2];
    for (let i = 0; i < count; i++) {
      if (!shown(i)) continue;
      const far = (px[i] - x) ** 2 + (py[i] - y) ** 2;
      if (far < nearest) [best, nearest] = [i, far];
    }
    return best;
  };
  // On the canvas, not in here: new data may come between one key and the next.
  const point = (i) => {
    hovered = i;
    canvas.pointed = i === null ? null : data.ids[i];
  };
  const lock = (i) => {
    locked = locked === i ? null : i;
    refresh();
    setTriggerValue("picked", { value: locked === null ? "" : data.ids[locked] });
  };
  // So too what is held: new data may come between a press and its release.
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.onpointerdown = (event) => {
    canvas.held = { from: at(event), last: at(event), moved: false };
    canvas.setPointerCapture(event.pointerId);
  };
  canvas.onpointermove = (event) => {
    const [x, y] = at(event);
    if (canvas.held) {
      const [dx, dy] = [x - canvas.held.last[0], y - canvas.held.last[1]];
      canvas.held.moved ||= Math.hypot(x - canvas.held.from[0], y - canvas.held.from[1]) > 4;
      if (canvas.held.moved) {
        if (solid && !event.shiftKey) {
          view.turn += dx / 150;
          view.tilt = Math.max(-1.5, Math.min(1.5, view.tilt + dy / 150));
        } else {
          view.right += dx;
          view.down += dy;
        }
      }
      canvas.held.last = [x, y];
      point(null);
    } else point(under(x, y));
    canvas.style.cursor = canvas.held?.moved ? "grabbing" : hovered === null ? "grab" : "pointer";
    refresh();
  };
  canvas.onpointerup = (event) => {
    if (canvas.held?.moved) tellView();
    else if (canvas.held) {
      const found = under(...at(event));
      if (found !== null) lock(found);
    }
    canvas.held = null;
  };
  canvas.onpointercancel = () => (canvas.held = null);
  canvas.onpointerleave = () => {
    point(null);
    if (!canvas.held) refresh();
  };
  // From one point to the nearest within 45° of the arrow's direction.
  const walk = (from, [dx, dy]) => {
    let [best, nearest] = [from, Infinity];
    for (let i = 0; i < count; i++) {
      const [x, y] = [px[i] - px[from], py[i] - py[from]];
      const along = x * dx + y * dy;
      const far = x * x + y * y;
      if (i === from || !shown(i) || along <= 0 || far > 2 * along * along || far >= nearest || far < 4) continue;
      [best, nearest] = [i, far];
    }
    return best;
  };
  canvas.onkeydown = (event) => {
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    const from = hovered ?? locked ?? data.focus ?? 0;
    if (way && event.shiftKey && solid) {
      view.turn += way[0] / 10;
      view.tilt = Math.max(-1.5, Math.min(1.5, view.tilt + way[1] / 10));
    } else if (way) point(walk(from, way));
    else if (event.key === "Enter" || event.key === " ") lock(from);
    else if (event.key === "Escape" && locked !== null) lock(locked);
    else if (event.key === "+" || event.key === "-") view.zoom *= event.key === "+" ? 1.4 : 1 / 1.4;
    else return;
    refresh();
    event.preventDefault();
    event.stopPropagation();
  };

  const zoomed = (by) => () => {
    if (by) {
      view.zoom *= by;
      view.right *= by;
      view.down *= by;
    } else Object.assign(view, start);
    refresh();
    tellView();
  };
  parentElement
    .querySelector(".zoom")
    .replaceChildren(button("+", "Nearer", zoomed(1.5)), button("−", "Farther", zoomed(1 / 1.5)), button("⟲", "The whole cloud", zoomed(0)));
  const counts = data.legend.map((_, shade) => data.shades.filter((one) => one === shade).length);
  const entries = data.legend.map((label, shade) => {
    const entry = button("", `Show ${label} alone`, () => {
      only = only === shade ? null : shade;
      entries.forEach((one, other) => one.setAttribute("aria-pressed", String(other === only)));
      refresh();
      setTriggerValue("only", { value: only === null ? "" : only });
    });
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = data.colours[shade];
    entry.append(swatch, `${label} (${counts[shade]})`);
    entry.setAttribute("aria-pressed", String(shade === only));
    return entry;
  });
  parentElement.querySelector(".legend").replaceChildren(...entries.filter((_, shade) => counts[shade]));

  canvas.setAttribute("aria-label", data.alt);
  refresh();
  const watcher = new ResizeObserver(() => canvas.clientWidth !== width && refresh());
  watcher.observe(canvas);
  registerFigure(data.key, {
    svg: () => {
      const pen = svgPen(ink);
      paint(pen);
      return pen.file(width, height);
    },
    csv: () => [
      ["id", "piece", ...data.axes, "note"],
      ...data.ids.map((id, i) => [id, data.pieces[i], ...data.points.map((values) => values[i]), data.notes[i]]),
    ],
  });
  return inPlaceOf(parentElement, () => watcher.disconnect());
}

function hex(colour) {
  const parts = colour.match(/[\d.]+/g).slice(0, 3);
  return "#" + parts.map((part) => Math.round(Number(part)).toString(16).padStart(2, "0")).join("");
}
