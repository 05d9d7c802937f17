// One span a token, tinted by its number. Hover or arrow keys preview, click or Enter locks, a second time unlocks.
// Model text enters the page through textContent alone.

const visible = (text) => text.replaceAll("\n", "⏎") || "∅";
const signed = (value) => (value >= 0 ? "+" : "−") + Math.abs(value).toFixed(2);

export default function ({ data, parentElement }) {
  const strip = parentElement.querySelector(".strip");
  const detail = parentElement.querySelector(".detail");
  const tokens = data.tokens;
  let locked = null;
  let focused = 0;

  const describe = (index) => {
    const token = tokens[index];
    if (token.note) return token.note;
    if (!data.running) return `“${visible(token.text).trim()}”: ${data.label} ${signed(token.value)}`;
    const change = index > 0 ? `, ${signed(token.value - tokens[index - 1].value)} by this token` : "";
    return `after “${visible(token.text).trim()}”: ${data.label} ${signed(token.value)}${change}`;
  };
  const show = (index) => {
    detail.textContent = index === null ? data.hint : describe(index);
  };
  const lock = (index) => {
    locked = locked === index ? null : index;
    spans.forEach((span, other) => span.setAttribute("aria-pressed", String(other === locked)));
    show(locked);
  };
  const focus = (index) => {
    spans[focused].tabIndex = -1;
    focused = Math.min(tokens.length - 1, Math.max(0, index));
    spans[focused].tabIndex = 0;
    spans[focused].focus();
  };

  const spans = tokens.map((token, index) => {
    const span = document.createElement("span");
    span.textContent = visible(token.text);
    span.className = token.value >= 0 ? "token above" : "token below";
    const strength = Math.min(1, Math.abs(token.value) / data.scale) * 100;
    span.style.setProperty("--strength", `${strength.toFixed(0)}%`);
    span.setAttribute("role", "button");
    span.setAttribute("aria-pressed", "false");
    span.setAttribute("aria-label", describe(index));
    span.tabIndex = index === 0 ? 0 : -1;
    span.onpointerenter = () => locked === null && show(index);
    span.onpointerleave = () => show(locked);
    span.onfocus = () => locked === null && show(index);
    span.onclick = () => lock(index);
    span.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) focus(index + step);
      else if (event.key === "Enter" || event.key === " ") lock(index);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    return span;
  });
  strip.replaceChildren(...spans);
  strip.setAttribute("aria-label", data.alt);
  show(null);
}
