// PNG, SVG and the numbers of the figure above, whoever drew it: one of our own, Plotly (2-D) or Vega.

export default function ({ data, parentElement }) {
  const words = parentElement.querySelector(".downloads");
  const buttons = { png: savePicture, svg: saveDrawing, csv: saveNumbers };
  const here = parentElement.host ?? parentElement;
  const shown = data.csv !== null || data.own ? ["png", "svg", "csv"] : ["png", "svg"];
  // The figure of a run at work comes anew each second: a button replaced between press and release hears no click.
  words.data = data;
  const built = `${data.name} ${shown}`;
  if (words.built === built) return;
  words.built = built;
  words.replaceChildren(
    ...shown.map((kind) => {
      const button = document.createElement("button");
      button.textContent = kind === "csv" ? "Data" : kind.toUpperCase();
      button.title = kind === "csv" ? "The numbers of this figure, as CSV" : `This figure as ${kind.toUpperCase()}`;
      button.setAttribute("aria-label", `${button.title}: ${data.name}`);
      button.onclick = () => buttons[kind](words.data, placeOf(words.data.key, here));
      return button;
    }),
  );
}

// A Vega chart's key reaches no class of the page: its figure is then the nearest one above the buttons.
function placeOf(key, buttons) {
  const named = document.querySelector(`.st-key-${CSS.escape(key)}`);
  if (named) return named;
  let above = buttons.closest(".stElementContainer")?.previousElementSibling;
  while (above && !above.querySelector("svg.main-svg, svg.marks")) above = above.previousElementSibling;
  return above;
}

function drawn(key, place) {
  const own = window.playgroundFigures?.get(key);
  if (own) return own.svg();
  const parts = [...(place?.querySelectorAll("svg.main-svg, svg.marks") ?? [])];
  if (!parts.length) return null;
  const { width, height } = parts[0].getBoundingClientRect();
  const inside = parts.map((part) => new XMLSerializer().serializeToString(part)).join("");
  const ground = getComputedStyle(document.querySelector(".stApp")).backgroundColor;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<rect width="100%" height="100%" fill="${ground}"/>${inside}</svg>`
  );
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function saveDrawing({ key, name }, place) {
  const svg = drawn(key, place);
  if (svg) save(new Blob([svg], { type: "image/svg+xml" }), `${name}.svg`);
}

function savePicture({ key, name }, place) {
  const camera = place?.querySelector('.gl-container canvas') && place.querySelector('.modebar-btn[data-attr="toImage"], .modebar-btn[data-title^="Download"]');
  if (camera) return camera.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  const svg = drawn(key, place);
  if (!svg) return;
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * image.width, 2 * image.height];
    const context = canvas.getContext("2d");
    context.fillStyle = getComputedStyle(document.querySelector(".stApp")).backgroundColor;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(blob, `${name}.png`));
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
}

function saveNumbers({ key, name, csv }) {
  const quoted = (value) => {
    // a cell that a spreadsheet would take for a formula is kept as text
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const own = window.playgroundFigures?.get(key);
  const lines = csv ?? own?.csv() ?? [];
  save(new Blob([lines.map((line) => line.map(quoted).join(",") + "\n").join("")], { type: "text/csv" }), `${name}.csv`);
}
