// Builds the stations once and afterwards only sets text: a live run changes numbers without a flicker.
// All words are set as textContent: nothing that came from a model or a file is ever read as markup.
export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".stations");
  for (const [index, station] of data.stations.entries()) {
    const item = list.children[index] ?? list.appendChild(build());
    const button = item.firstElementChild;
    item.style.setProperty("--shade", `var(--${station.concept})`);
    item.classList.toggle("reached", station.reached);
    item.classList.toggle("busy", station.progress !== null);
    for (const part of ["mark", "title", "does", "value", "detail", "flow"]) {
      const place = button.querySelector(`.${part}`);
      if (place.textContent !== station[part]) place.textContent = station[part];
    }
    button.querySelector(".bar").style.width = `${100 * (station.progress ?? 0)}%`;
    button.onclick = () => setTriggerValue("station", station.page);
  }
  parentElement.querySelector(".loop").textContent = data.loop;
}

function build() {
  const item = document.createElement("li");
  const button = document.createElement("button");
  for (const part of ["title", "does", "value", "detail", "flow", "bar"]) {
    const span = document.createElement("span");
    span.className = part;
    button.appendChild(span);
  }
  const mark = document.createElement("span");
  mark.className = "mark";
  mark.ariaHidden = "true";
  button.prepend(mark);
  item.appendChild(button);
  return item;
}
