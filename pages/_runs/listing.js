// A list of toggles. Rows keep their place in the page while their words change; everything is set as text.
export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".runs");
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  data.rows.forEach((row, index) => {
    const item = known.get(row.id) ?? build(row.id);
    known.delete(row.id);
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
    const button = item.firstElementChild;
    item.style.setProperty("--shade", `var(--${row.concept})`);
    item.dataset.status = row.status;
    button.setAttribute("aria-pressed", String(row.chosen));
    for (const part of ["name", "id", "state", "when", "size"]) {
      const place = button.querySelector(`.${part}`);
      if (place.textContent !== row[part]) place.textContent = row[part];
    }
    button.querySelector(".fill").style.width = `${100 * row.progress}%`;
    button.onclick = () => {
      const chosen = data.rows.filter((other) => (other.id === row.id ? !row.chosen : other.chosen)).map((other) => other.id);
      setTriggerValue("chosen", chosen);
    };
  });
  for (const gone of known.values()) gone.remove();
}

function build(id) {
  const item = document.createElement("li");
  item.dataset.id = id;
  const button = document.createElement("button");
  for (const part of ["box", "name", "id", "state", "when", "size", "track"]) {
    const span = document.createElement("span");
    span.className = part;
    button.appendChild(span);
  }
  button.querySelector(".box").ariaHidden = "true";
  const fill = document.createElement("span");
  fill.className = "fill";
  button.querySelector(".track").appendChild(fill);
  item.appendChild(button);
  return item;
}
