// The four models of PPO and what flows between them. Everything said is given by the server and set as text.

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [780, 440];
const BOXES = {
  prompts: [58, 200, 100, 56],
  policy: [216, 200, 122, 70],
  reference: [424, 66, 136, 66],
  reward: [424, 200, 136, 66],
  value: [424, 334, 136, 66],
  paid: [674, 130, 168, 84],
  advantages: [674, 322, 168, 84],
};
// from, to, path, place of the words, their alignment
const WIRES = {
  asked: ["M108 200 H149", 128, 186, "middle"],
  to_reward: ["M277 200 H350", 327, 186, "middle"],
  to_reference: ["M300 200 V66 H350", 292, 98, "end"],
  to_value: ["M300 200 V334 H350", 292, 300, "end"],
  kl: ["M492 66 H540 V112 H584", 500, 52, "start"],
  score: ["M492 200 H540 V148 H584", 500, 218, "start"],
  values: ["M492 334 H584", 500, 286, "start"],
  rewards: ["M674 172 V274", 684, 216, "start"],
  learn: ["M674 364 V412 H216 V242", 320, 402, "middle"],
  learn_value: ["M424 412 V373", 549, 402, "middle"],
};

export default function ({ data, parentElement }) {
  const svg = parentElement.querySelector("svg");
  const says = parentElement.querySelector(".says");
  const ink = getComputedStyle(says).color;
  const make = (kind, attributes, words, parent = svg) => {
    const element = document.createElementNS(SVG, kind);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (words !== undefined) element.textContent = words;
    parent.appendChild(element);
    return element;
  };
  const write = (words, x, y, anchor, size, weight, fill, parent) =>
    make("text", { x, y, "text-anchor": anchor, "dominant-baseline": "middle", "font-family": "system-ui, sans-serif", "font-size": size, "font-weight": weight, fill }, words, parent);
  const lit = (part) => data.stage === "" || part.stages.includes(data.stage);

  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("aria-label", data.alt);
  const defs = make("defs", {});
  for (const [name, wire] of Object.entries(data.wires)) {
    const [path, x, y, anchor] = WIRES[name];
    const tip = make("marker", { id: `tip-${name}`, viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 9, markerHeight: 9, orient: "auto", markerUnits: "userSpaceOnUse" }, undefined, defs);
    make("path", { d: "M0 0 L8 4 L0 8 Z", fill: wire.colour }, undefined, tip);
    const group = make("g", { class: lit(wire) ? "" : "dimmed" });
    make("path", { d: path, fill: "none", stroke: wire.colour, "stroke-width": 2, "stroke-dasharray": wire.dash, "marker-end": `url(#tip-${name})` }, undefined, group);
    wire.words.forEach((words, line) => write(words, x, y + 16 * line, anchor, 13, 500, ink, group));
  }
  for (const [name, box] of Object.entries(data.boxes)) {
    const [x, y, width, height] = BOXES[name];
    const group = make("g", { class: lit(box) ? "" : "dimmed" });
    make("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: 8, fill: data.ground, stroke: box.colour, "stroke-width": data.stage && lit(box) ? 3 : 1.5, "stroke-dasharray": box.dash }, undefined, group);
    const top = y - 9 * (box.words.length);
    write(box.title, x, top, "middle", 14, 650, box.colour, group);
    box.words.forEach((words, line) => write(words, x, top + 20 + 17 * line, "middle", 12.5, 400, ink, group));
  }
  says.textContent = data.says;
  registerFigure(data.key, {
    svg: () => {
      const copy = svg.cloneNode(true);
      copy.setAttribute("width", WIDTH);
      copy.setAttribute("height", HEIGHT);
      for (const group of copy.querySelectorAll(".dimmed")) group.setAttribute("opacity", "0.28");
      return new XMLSerializer().serializeToString(copy);
    },
    csv: () => data.numbers,
  });
}
