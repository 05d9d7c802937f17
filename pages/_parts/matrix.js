// A matrix as coloured cells on one canvas. Hover or arrow keys preview a cell, click or Enter locks it, a second time
// unlocks it. Labels are foreign text: they are drawn as glyphs or set as textContent, never parsed.

const FONT = "12px system-ui, sans-serif";
const GAP = 4;
const TALLEST = 560; // pixels of cells: more rows than fit get smaller cells

export default function ({ data, parentElement, setTriggerValue }) {
  const scroll = parentElement.querySelector(".scroll");
  const canvas = parentElement.querySelector("canvas");
  const detail = parentElement.querySelector(".detail");
  const { rows, columns, values, texts } = data;
  // A click makes the page draw anew: where the pointer or the keys were is kept over that.
  const places = (window.playgroundPlaces ??= new Map());
  const inside = (cell) => (cell && cell[0] < rows.length && cell[1] < columns.length ? cell : null);
  let hovered = inside(places.get(data.key));
  const point = (cell) => {
    hovered = cell;
    places.set(data.key, cell);
  };
  let locked = data.locked;
  let frame = null;
  const painted = document.createElement("canvas");

  const value = (row, column) => values[row * columns.length + column];
  const worded = (row, column) => {
    const number = value(row, column);
    const parts = {
      row: rows[row],
      column: columns[column],
      value: number === null ? data.nothing : number.toFixed(data.decimals),
      text: texts ? texts[row * columns.length + column] : "",
      note: data.notes ? data.notes[row * columns.length + column] : "",
    };
    return data.template.replace(/\{(\w+)\}/g, (_, name) => parts[name]);
  };
  const say = () => {
    const cell = locked ?? hovered;
    detail.textContent = cell ? worded(...cell) + (locked ? "  (locked: click again to unlock)" : "") : data.hint;
  };

  const measure = () => {
    const context = canvas.getContext("2d");
    context.font = FONT;
    const widest = (labels) => Math.min(110, Math.max(0, ...labels.map((label) => context.measureText(label).width)));
    const available = scroll.clientWidth || 600;
    const left = widest(rows) + 2 * GAP;
    const fitting = Math.min(data.largest, (available - left - 2) / columns.length, texts ? Infinity : TALLEST / rows.length);
    const cell = Math.max(data.cell_width || 2, fitting);
    const height = data.cell_width ? 22 : Math.max(data.row_height, Math.min(cell, 34));
    const turned = widest(columns) > cell - 4;
    const top = data.column_labels ? (turned ? widest(columns) : 14) + 2 * GAP : GAP;
    return { left, top, cell, height, turned, width: left + cell * columns.length + 2, total: top + height * rows.length + 2 };
  };

  const style = getComputedStyle(parentElement.host ?? parentElement.querySelector(".scroll"));
  const ink = style.color;
  const shade = (number) => {
    if (number === null) return null;
    const place = Math.min(1, Math.max(0, (number - data.low) / (data.high - data.low || 1))) * (data.colours.length - 1);
    return mix(data.colours[Math.floor(place)], data.colours[Math.ceil(place)], place % 1);
  };

  // Every mark once, for the canvas and for the SVG file alike.
  const paint = (pen) => {
    const m = frame;
    const legible = m.height >= 11;
    rows.forEach((row, r) => {
      columns.forEach((column, c) => {
        const colour = shade(value(r, c));
        const [x, y] = [m.left + c * m.cell, m.top + r * m.height];
        const gap = m.cell > 8 ? 1 : 0;
        if (colour) pen.cell(x, y, m.cell - gap, m.height - gap, colour);
        if (texts && colour) pen.text(texts[r * columns.length + c], x + 4, y + m.height / 2, { colour: readable(colour), most: m.cell - 8 });
      });
      if (legible) pen.text(row, m.left - GAP, m.top + (r + 0.5) * m.height, { align: "right", most: m.left - GAP });
    });
    if (data.column_labels && m.cell >= 11)
      columns.forEach((column, c) => {
        const x = m.left + (c + 0.5) * m.cell;
        pen.text(column, x, m.turned ? m.top - GAP : m.top - GAP - 7, m.turned ? { turned: true, most: m.top - GAP } : { align: "center", most: m.cell });
      });
  };

  // The cells are painted once; what moves with the pointer is drawn over a copy of them.
  const prepare = () => {
    frame = measure();
    const ratio = window.devicePixelRatio || 1;
    canvas.style.width = `${frame.width}px`;
    canvas.style.height = `${frame.total}px`;
    for (const one of [canvas, painted]) {
      one.width = Math.ceil(frame.width * ratio);
      one.height = Math.ceil(frame.total * ratio);
      one.getContext("2d").scale(ratio, ratio);
    }
    const context = painted.getContext("2d");
    context.font = FONT;
    context.textBaseline = "middle";
    paint(canvasPen(context, ink));
  };
  const draw = () => {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, frame.width, frame.total);
    context.drawImage(painted, 0, 0, painted.width / (window.devicePixelRatio || 1), painted.height / (window.devicePixelRatio || 1));
    const outline = (cell, width, dash) => {
      const [r, c] = cell;
      context.strokeStyle = ink;
      context.lineWidth = width;
      context.setLineDash(dash);
      context.strokeRect(frame.left + c * frame.cell, frame.top + r * frame.height, frame.cell, frame.height);
    };
    for (const [r, c] of data.marked) {
      const colour = shade(value(r, c));
      context.strokeStyle = colour ? readable(colour) : ink; // seen on dark cells too
      context.lineWidth = 1.5;
      context.setLineDash([3, 2]);
      context.strokeRect(frame.left + c * frame.cell + 2, frame.top + r * frame.height + 2, frame.cell - 5, frame.height - 5);
    }
    context.strokeStyle = ink;
    context.lineWidth = 1;
    context.setLineDash([3, 2]);
    for (const r of data.marked_rows) context.strokeRect(frame.left - 1, frame.top + r * frame.height - 1, frame.cell * columns.length + 1, frame.height + 1);
    context.setLineDash([]);
    const cell = locked ?? hovered;
    if (cell) {
      context.globalAlpha = 0.5;
      context.setLineDash([]);
      context.strokeStyle = ink;
      context.lineWidth = 1;
      context.strokeRect(frame.left, frame.top + cell[0] * frame.height, frame.cell * columns.length, frame.height);
      context.strokeRect(frame.left + cell[1] * frame.cell, frame.top, frame.cell, frame.height * rows.length);
      context.globalAlpha = 1;
      outline(cell, locked ? 3 : 2, []);
    }
  };
  const refresh = () => {
    draw();
    say();
  };

  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    const row = Math.floor((event.clientY - box.top - frame.top) / frame.height);
    const column = Math.floor((event.clientX - box.left - frame.left) / frame.cell);
    return row >= 0 && row < rows.length && column >= 0 && column < columns.length ? [row, column] : null;
  };
  const lock = (cell) => {
    locked = locked && locked[0] === cell[0] && locked[1] === cell[1] ? null : cell;
    refresh();
    setTriggerValue("picked", { cell: locked });
  };
  canvas.onpointermove = (event) => {
    point(under(event));
    canvas.style.cursor = hovered ? "pointer" : "default";
    if (!locked) refresh();
  };
  canvas.onpointerleave = () => {
    point(null);
    if (!locked) refresh();
  };
  canvas.onclick = (event) => {
    const cell = under(event);
    if (cell) lock(cell);
  };
  canvas.onkeydown = (event) => {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const from = locked ?? hovered ?? [0, 0];
    if (step) {
      point([
        Math.min(rows.length - 1, Math.max(0, from[0] + step[0])),
        Math.min(columns.length - 1, Math.max(0, from[1] + step[1])),
      ]);
      if (locked) {
        locked = null;
        setTriggerValue("picked", { cell: null });
      }
      refresh();
    } else if (event.key === "Enter" || event.key === " ") lock(from);
    else if (event.key === "Escape" && locked) lock(locked);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  canvas.setAttribute("aria-label", data.alt);
  prepare();
  refresh();
  const watcher = new ResizeObserver(() => {
    if (Math.abs(measure().cell - frame.cell) <= 0.5) return;
    prepare();
    draw();
  });
  watcher.observe(scroll);

  registerFigure(data.key, {
    svg: () => {
      const pen = svgPen(ink);
      paint(pen);
      return pen.file(frame.width, frame.total);
    },
    csv: () => {
      const lines = rows.map((row, r) => [row, ...columns.map((_, c) => value(r, c) ?? "")]);
      return [["", ...columns], ...lines];
    },
  });
  return inPlaceOf(parentElement, () => watcher.disconnect());
}
