// One block as boxes on two lanes: the residual stream runs on above, what reads it and adds to it stands below.
// Hover or arrow keys preview a box, click or Enter opens it, a second time closes it. Pieces are foreign text: textContent.

const SVG = "http://www.w3.org/2000/svg";
const [LANE, BRANCH, BOX, TOTAL] = [58, 186, 86, 240]; // centres of the lanes, height of a box, of all
const PLACES = { entering: [0, LANE], attention_input: [1, BRANCH], attention: [2, BRANCH], between: [3, LANE], feed_forward_input: [4, BRANCH], feed_forward: [5, BRANCH], leaving: [6, LANE] };

export default function ({ data, parentElement, setTriggerValue }) {
  const svg = parentElement.querySelector("svg");
  const detail = parentElement.querySelector(".detail");
  const ink = getComputedStyle(parentElement.querySelector(".figure")).color;
  let opened = data.opened;
  let current = opened ?? data.boxes[0].id;
  let width = 0;

  const make = (kind, attributes, words, parent = svg) => {
    const element = document.createElementNS(SVG, kind);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (words !== undefined) element.textContent = words;
    parent.appendChild(element);
    return element;
  };
  const say = (id) => {
    const box = data.boxes.find((one) => one.id === (opened ?? id));
    detail.textContent = box ? box.detail + (opened ? "  (open below: click again to close)" : "") : data.hint;
  };

  const pitch = () => width / 7;
  const size = () => Math.min(148, pitch() - 10);
  const at = (id) => [(PLACES[id][0] + 0.5) * pitch(), PLACES[id][1]];
  const fit = (text, room, words) => {
    text.textContent = words;
    while (words.length > 2 && text.getComputedTextLength() > room) {
      words = words.slice(0, -2) + "…";
      text.textContent = words;
    }
  };

  const line = (d, stroke, thick, dash) =>
    make("path", { d, fill: "none", stroke, "stroke-width": thick, "stroke-dasharray": dash ?? "", "marker-end": "url(#tip)" });
  const wires = () => {
    const [half, gap] = [size() / 2, (pitch() - size()) / 2];
    const thick = Object.fromEntries(data.boxes.map((box) => [box.id, 1.5 + 6 * box.share]));
    for (const [from, to] of [["entering", "between"], ["between", "leaving"]]) {
      const [[x, y], [end]] = [at(from), at(to)];
      line(`M${x + half} ${y} H${end - half - 8}`, ink, thick[from]);
    }
    for (const [from, norm, part, to] of [
      ["entering", "attention_input", "attention", "between"],
      ["between", "feed_forward_input", "feed_forward", "leaving"],
    ]) {
      const colour = data.boxes.find((box) => box.id === part).colour;
      const [[x], [nx, ny], [px], [tx, ty]] = [at(from), at(norm), at(part), at(to)];
      line(`M${x + 20} ${LANE + BOX / 2} V${ny} H${nx - half - 6}`, ink, 1.5);
      line(`M${nx + half} ${ny} H${px - half - 6}`, ink, 1.5);
      line(`M${px + half} ${ny} H${tx - 20} V${ty + BOX / 2 + 6}`, colour, thick[part]);
      make("text", { x: tx - 40, y: ty + BOX / 2 + 26, fill: colour, "font-size": 20, "font-family": "system-ui, sans-serif", "font-weight": 700 }, "+");
    }
  };

  const draw = () => {
    width = parentElement.querySelector(".figure").clientWidth || 700;
    const held = svg.getRootNode().activeElement?.dataset?.box; // the keyboard stays where it was
    svg.replaceChildren();
    svg.setAttribute("width", width);
    svg.setAttribute("height", TOTAL);
    svg.setAttribute("viewBox", `0 0 ${width} ${TOTAL}`);
    const marker = make("marker", { id: "tip", viewBox: "0 0 8 8", refX: 4, refY: 4, markerWidth: 9, markerHeight: 9, orient: "auto", markerUnits: "userSpaceOnUse" }, undefined, make("defs", {}));
    make("path", { d: "M0 0 L8 4 L0 8 Z", fill: ink }, undefined, marker);
    wires();
    const side = size();
    for (const box of data.boxes) {
      const [x, y] = at(box.id);
      const group = make("g", { class: "box", role: "button", tabindex: box.id === current ? 0 : -1, "aria-pressed": box.id === opened, "aria-label": box.detail, "data-box": box.id });
      const frame = { class: "frame", x: x - side / 2, y: y - BOX / 2, width: side, height: BOX, rx: 8, fill: data.ground, stroke: box.colour, "stroke-width": 1.5 };
      make("rect", { ...frame, "stroke-dasharray": box.dash }, undefined, group);
      const scale = Math.min(1, Math.max(0.78, side / 135));
      const words = [[box.title, 13, 650, box.colour, -26], [`‖·‖ ${box.norm}`, 15, 650, ink, -4], [box.first, 12, 400, ink, 15], [box.second, 12, 400, ink, 31]];
      for (const [text, size_, weight, fill, dy] of words) {
        const label = make("text", { x, y: y + dy, "text-anchor": "middle", "dominant-baseline": "middle", "font-family": "system-ui, sans-serif", "font-size": size_ * scale, "font-weight": weight, fill }, "", group);
        fit(label, side - 8, text);
      }
      group.onpointerenter = () => say(box.id);
      group.onpointerleave = () => say(null);
      group.onfocus = () => say(box.id);
      group.onclick = () => toggle(box.id);
      group.onkeydown = (event) => press(event, box.id);
    }
    if (held) svg.querySelector(`[data-box="${held}"]`)?.focus();
    say(null);
  };
  const toggle = (id) => {
    opened = opened === id ? null : id;
    current = id;
    for (const group of svg.querySelectorAll(".box")) group.setAttribute("aria-pressed", String(group.dataset.box === opened));
    say(id);
    setTriggerValue("picked", { box: opened });
  };
  const press = (event, id) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      const order = data.boxes.map((box) => box.id);
      current = order[Math.min(order.length - 1, Math.max(0, order.indexOf(id) + step))];
      for (const group of svg.querySelectorAll(".box")) group.setAttribute("tabindex", group.dataset.box === current ? 0 : -1);
      svg.querySelector(`[data-box="${current}"]`).focus();
    } else if (event.key === "Enter" || event.key === " ") toggle(id);
    else if (event.key === "Escape" && opened) toggle(opened);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  svg.setAttribute("aria-label", data.alt);
  draw();
  const watcher = new ResizeObserver(() => {
    if (Math.abs((parentElement.querySelector(".figure").clientWidth || width) - width) > 2) draw();
  });
  watcher.observe(parentElement.querySelector(".figure"));
  registerFigure(data.key, {
    svg: () => new XMLSerializer().serializeToString(svg),
    csv: () => [["box", "norm", "note"], ...data.boxes.map((box) => [box.title, box.norm, `${box.first} ${box.second}`])],
  });
  return inPlaceOf(parentElement, () => watcher.disconnect());
}
