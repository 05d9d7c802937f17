// All layers × heads as small pictures on one canvas. Hover or arrow keys preview a head, click or Enter opens it, a
// second time lets it go. By layer, columns are layers and rows are heads; sorted, the heads follow each other in lines.

const FONT = "12px system-ui, sans-serif";
const GAP = 3;
const LEFT = 54;
const PREVIEW = 208;
const TOP = 34;
const LABEL = 18; // pixels under a picture in the sorted order
const APART = 14; // and between two there
const NARROWEST = 22;
const WIDEST = 58;

export default function ({ data, parentElement, setTriggerValue }) {
  const whole = parentElement.querySelector(".mosaic");
  const area = parentElement.querySelector(".area");
  const canvas = parentElement.querySelector(".all");
  const large = parentElement.querySelector(".large");
  const name = parentElement.querySelector(".name");
  const facts = parentElement.querySelector(".facts");
  const hint = parentElement.querySelector(".hint");
  const { layers, heads, group, side, order } = data;
  const ink = getComputedStyle(parentElement.host ?? area).color;
  const atlas = pictures(data);
  let frame = null;
  let hovered = null;
  let locked = data.locked;

  const place = (index) => (order ? order.indexOf(index) : index);
  const measure = () => {
    const room = whole.clientWidth || 700;
    const available = room > 620 ? room - PREVIEW - 32 : room; // else the preview stands below
    if (order) {
      const size = WIDEST;
      const across = Math.max(1, Math.floor(available / (size + APART)));
      const lines = Math.ceil(order.length / across);
      return { size, across, width: across * (size + APART), height: lines * (size + LABEL + GAP) };
    }
    const size = Math.max(NARROWEST, Math.min(WIDEST, (available - LEFT) / layers - GAP));
    const groups = heads / group;
    return { size, width: LEFT + layers * (size + GAP), height: TOP + heads * (size + GAP) + (group > 1 ? groups * 8 : 0) };
  };
  const corner = (index) => {
    const { size, across } = frame;
    if (order) {
      const at = place(index);
      return [2 + (at % across) * (size + APART), 2 + Math.floor(at / across) * (size + LABEL + GAP)];
    }
    const [layer, head] = [Math.floor(index / heads), index % heads];
    const apart = group > 1 ? Math.floor(head / group) * 8 : 0; // heads that share a key and value head stand together
    return [LEFT + layer * (size + GAP), TOP + head * (size + GAP) + apart];
  };

  const titled = (index) => `Layer ${Math.floor(index / heads)} · head ${index % heads}`;
  const words = (pen) => {
    const { size } = frame;
    if (order) {
      order.forEach((index) => {
        const [x, y] = corner(index);
        const value = data.statistics[data.sorted][index];
        const short = `${Math.floor(index / heads)}.${index % heads}`; // layer.head
        pen.text(value === null ? short : `${short}  ${value.toFixed(2)}`, x, y + size + LABEL / 2, { most: size + APART });
      });
      return;
    }
    pen.text("layer →", LEFT, 8);
    for (let layer = 0; layer < layers; layer++)
      if (size > 16 || layer % 2 === 0) pen.text(String(layer), corner(layer * heads)[0] + size / 2, TOP - 9, { align: "center" });
    for (let head = 0; head < heads; head++)
      pen.text(head ? String(head) : "head 0", LEFT - 6, corner(head)[1] + size / 2, { align: "right" });
  };
  const brackets = (context) => {
    if (order || group === 1) return;
    context.strokeStyle = data.key_colour;
    context.lineWidth = 3;
    context.setLineDash([]);
    for (let first = 0; first < heads; first += group) {
      const [top, bottom] = [corner(first)[1], corner(first + group - 1)[1] + frame.size];
      context.beginPath();
      context.moveTo(2, top);
      context.lineTo(2, bottom);
      context.stroke();
    }
  };

  const draw = () => {
    frame = measure();
    const context = sized(canvas, frame.width, frame.height);
    context.font = FONT;
    context.textBaseline = "middle";
    words(canvasPen(context, ink));
    brackets(context);
    context.imageSmoothingQuality = "high";
    for (let index = 0; index < layers * heads; index++) {
      const [x, y] = corner(index);
      context.imageSmoothingEnabled = side > frame.size;
      context.drawImage(atlas, 0, index * side, side, side, x, y, frame.size, frame.size);
      context.lineWidth = 1;
      context.globalAlpha = 0.18;
      context.strokeStyle = ink;
      context.strokeRect(x - 0.5, y - 0.5, frame.size + 1, frame.size + 1);
      context.globalAlpha = 1;
    }
    const outline = (index, width) => {
      const [x, y] = corner(index);
      context.strokeStyle = ink;
      context.lineWidth = width;
      context.strokeRect(x - 1, y - 1, frame.size + 2, frame.size + 2);
    };
    outline(data.open, 2.5);
    if (hovered !== null) outline(hovered, 1.5);
  };
  const say = () => {
    const index = hovered ?? data.open;
    const context = sized(large, PREVIEW, PREVIEW);
    context.imageSmoothingEnabled = false;
    context.drawImage(atlas, 0, index * side, side, side, 0, 0, PREVIEW, PREVIEW);
    name.textContent = titled(index) + (group > 1 ? ` · key and value head ${Math.floor((index % heads) / group)}` : "");
    facts.replaceChildren(
      ...data.named.map(([key, title, unit]) => {
        const line = document.createElement("div");
        const value = data.statistics[key][index];
        const number = document.createElement("b");
        number.textContent = value === null ? "–" : `${value.toFixed(2)}${unit}`;
        line.append(number, ` ${title}`);
        return line;
      }),
    );
    hint.textContent = locked === null ? data.hint : "Opened below. Click it again to let it go.";
  };
  const refresh = () => {
    draw();
    say();
  };

  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    for (let index = 0; index < layers * heads; index++) {
      const [left, top] = corner(index);
      if (x >= left && x < left + frame.size + GAP && y >= top && y < top + frame.size + GAP) return index;
    }
    return null;
  };
  const lock = (index) => {
    locked = locked === index ? null : index;
    setTriggerValue("picked", { head: locked === null ? null : [Math.floor(locked / heads), locked % heads] });
    if (locked !== null) data.open = locked;
    refresh();
  };
  canvas.onpointermove = (event) => {
    const found = under(event);
    canvas.style.cursor = found === null ? "default" : "pointer";
    if (found === hovered) return;
    hovered = found;
    refresh();
  };
  canvas.onpointerleave = () => {
    hovered = null;
    refresh();
  };
  canvas.onclick = (event) => {
    const found = under(event);
    if (found !== null) lock(found);
  };
  canvas.onkeydown = (event) => {
    const from = hovered ?? data.open;
    const step = order
      ? { ArrowRight: 1, ArrowLeft: -1, ArrowDown: frame.across, ArrowUp: -frame.across }[event.key]
      : { ArrowRight: heads, ArrowLeft: -heads, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      const to = order ? order[Math.min(order.length - 1, Math.max(0, place(from) + step))] : from + step;
      const sideways = order || step !== 1 && step !== -1 || Math.floor(to / heads) === Math.floor(from / heads);
      if (to >= 0 && to < layers * heads && sideways) hovered = to;
      refresh();
    } else if (event.key === "Enter" || event.key === " ") lock(from);
    else if (event.key === "Escape" && locked !== null) lock(locked);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  canvas.setAttribute("aria-label", data.alt);
  refresh();
  const watcher = new ResizeObserver(() => {
    if (frame && Math.abs(measure().width - frame.width) > 1) draw();
  });
  watcher.observe(whole);

  registerFigure(data.key, {
    svg: () => {
      const pen = svgPen(ink);
      words(pen);
      for (let index = 0; index < layers * heads; index++) {
        const one = document.createElement("canvas");
        [one.width, one.height] = [side, side];
        one.getContext("2d").drawImage(atlas, 0, index * side, side, side, 0, 0, side, side);
        const [x, y] = corner(index);
        pen.image(x, y, frame.size, one.toDataURL());
      }
      return pen.file(frame.width, frame.height);
    },
    csv: () => [
      ["layer", "head", ...data.named.map(([key]) => key)],
      ...Array.from({ length: layers * heads }, (_, index) => [
        Math.floor(index / heads),
        index % heads,
        ...data.named.map(([key]) => data.statistics[key][index] ?? ""),
      ]),
    ],
  });
  return inPlaceOf(parentElement, () => watcher.disconnect());
}

function sized(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.ceil(width * ratio);
  canvas.height = Math.ceil(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return context;
}

// One byte a cell becomes one pixel; what no head may see stays clear.
function pictures({ pictures, side, colours, layers, heads }) {
  const bytes = Uint8Array.from(atob(pictures), (character) => character.charCodeAt(0));
  const shades = Array.from({ length: 256 }, (_, byte) => {
    const at = Math.sqrt(byte / 255) * (colours.length - 1); // thin lines survive being small
    return channels(mix(colours[Math.floor(at)], colours[Math.ceil(at)], at % 1));
  });
  const atlas = document.createElement("canvas");
  [atlas.width, atlas.height] = [side, side * layers * heads];
  const context = atlas.getContext("2d");
  const image = context.createImageData(atlas.width, atlas.height);
  for (let cell = 0; cell < bytes.length; cell++) {
    const [row, column] = [Math.floor(cell / side) % side, cell % side];
    const [red, green, blue] = shades[bytes[cell]];
    image.data.set([red, green, blue, column > row ? 0 : 255], 4 * cell);
  }
  context.putImageData(image, 0, 0);
  return atlas;
}
