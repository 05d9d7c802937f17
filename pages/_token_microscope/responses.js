// All responses of an update, a line each: its figures, the end of its prompt, its tokens tinted. A click, Enter or
// Space puts one under the microscope; the arrow keys go up and down. Text enters the page through textContent alone.

const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".responses");
  const held = list.contains(list.getRootNode().activeElement);
  const top = list.scrollTop;
  let focused = Math.max(0, data.rows.findIndex((row) => row.number === data.selected));

  const cell = (name, text) => {
    const span = document.createElement("span");
    span.className = name;
    span.textContent = text;
    return span;
  };
  const rows = data.rows.map((row, index) => {
    const button = document.createElement("div");
    button.className = "response";
    button.setAttribute("role", "option");
    button.setAttribute("aria-selected", String(row.number === data.selected));
    button.tabIndex = index === focused ? 0 : -1;
    const text = cell("text", "");
    text.appendChild(cell("prompt", row.prompt));
    for (const [piece, value] of row.tokens) {
      const token = cell(value >= 0 ? "token above" : "token below", piece.replaceAll("\n", "⏎"));
      token.style.setProperty("--strength", `${(Math.min(1, Math.abs(value) / data.full) * 100).toFixed(0)}%`);
      text.appendChild(token);
    }
    button.append(cell("figure", String(row.number + 1)), cell("figure", signed(row.score)), cell("figure", row.kl.toFixed(2)), cell("figure", row.most.toFixed(2)), text);
    button.onclick = () => setTriggerValue("picked", { number: row.number });
    button.onkeydown = (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        rows[focused].tabIndex = -1;
        focused = Math.min(rows.length - 1, Math.max(0, focused + step));
        rows[focused].tabIndex = 0;
        rows[focused].focus();
      } else if (event.key === "Enter" || event.key === " ") setTriggerValue("picked", { number: row.number });
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    return button;
  });
  list.replaceChildren(...rows);
  list.setAttribute("aria-label", data.alt);
  list.scrollTop = top;
  if (held) rows[focused].focus({ preventScroll: true });
}
