// One button a token: its piece, its id, its bytes. Foreign text enters through textContent alone.

export default function ({ data, parentElement, setTriggerValue }) {
  const strip = parentElement.querySelector(".tokens");
  const detail = parentElement.querySelector(".detail");
  const { tokens, chosen } = data;
  const describe = (index) => {
    const { piece, id, bytes } = tokens[index];
    return `token ${index}: ${piece} · id ${id} · bytes ${bytes}`;
  };
  const part = (kind, words) => {
    const span = document.createElement("span");
    span.className = kind;
    span.textContent = words;
    return span;
  };
  const step = (index) => {
    const next = Math.min(tokens.length - 1, Math.max(0, index));
    buttons.forEach((button, other) => (button.tabIndex = other === next ? 0 : -1));
    buttons[next].focus();
  };
  const buttons = tokens.map((token, index) => {
    const button = document.createElement("button");
    button.append(part("piece", token.piece), part("id", token.id), part("bytes", token.bytes));
    button.className = index !== chosen && token.id === tokens[chosen].id ? "same" : "";
    button.setAttribute("aria-pressed", String(index === chosen));
    button.setAttribute("aria-label", describe(index));
    button.tabIndex = index === chosen ? 0 : -1;
    button.onpointerenter = button.onfocus = () => (detail.textContent = describe(index));
    button.onpointerleave = () => (detail.textContent = data.hint);
    button.onclick = () => setTriggerValue("picked", { position: index });
    button.onkeydown = (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      step(index + by);
      event.preventDefault();
      event.stopPropagation();
    };
    return button;
  });
  strip.replaceChildren(...buttons);
  strip.setAttribute("aria-label", data.alt);
  detail.textContent = data.hint;

  registerFigure(data.key, {
    svg: () => {
      const pen = svgPen(getComputedStyle(strip).color);
      const box = strip.getBoundingClientRect();
      for (const span of strip.querySelectorAll("span")) {
        const at = span.getBoundingClientRect();
        pen.text(span.textContent, at.left + at.width / 2 - box.left, at.top + at.height / 2 - box.top, { align: "center" });
      }
      return pen.file(box.width, strip.scrollHeight);
    },
    csv: () => [["position", "id", "piece", "bytes"], ...tokens.map(({ id, piece, bytes }, at) => [at, id, piece, bytes])],
  });
}
