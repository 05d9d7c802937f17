// A response as it is written: tokens tinted by how unlikely they were. Hover or arrow keys preview a token, click or
// Enter locks it; its alternatives stand below, and a click on one branches there. Model text enters as textContent alone.

const percent = (share) => (share >= 0.001 ? (100 * share).toFixed(1) : "<0.1") + " %";

export default function ({ data, parentElement, setTriggerValue }) {
  const text = parentElement.querySelector(".text");
  const detail = parentElement.querySelector(".detail");
  const list = parentElement.querySelector(".alternatives");
  const { tokens } = data;
  let locked = data.locked !== null && data.locked < tokens.length ? data.locked : null;
  let focused = locked ?? Math.max(0, tokens.length - 1);

  const describe = (index) => {
    const token = tokens[index];
    const how = token.chosen ? "chosen by you" : `drawn with the random number ${token.uniform.toFixed(4)}`;
    return `token ${index}, ${token.piece}: probability ${percent(token.probability)}, entropy ${token.entropy.toFixed(2)} nats, ${how}`;
  };
  const show = (index) => {
    list.replaceChildren();
    if (index === null || !tokens.length) {
      detail.textContent = data.hint;
      return;
    }
    detail.textContent = describe(index) + (locked !== null ? "  (locked: click again to unlock)" : "");
    list.replaceChildren(...tokens[index].alternatives.map((other) => alternative(index, other)));
  };
  const alternative = (index, other) => {
    const button = document.createElement("button");
    const taken = other.id === tokens[index].id;
    const parts = [["mark", taken ? "●" : ""], ["piece", other.piece], ["track", ""], ["share", percent(other.probability)]];
    for (const [name, words] of parts) {
      const span = document.createElement("span");
      span.className = name;
      span.textContent = words;
      if (name === "track") {
        const bar = document.createElement("div");
        bar.className = "bar";
        bar.style.width = `${(100 * other.probability).toFixed(1)}%`;
        span.appendChild(bar);
      }
      button.appendChild(span);
    }
    button.setAttribute("aria-label", taken ? `${other.piece}, written, ${percent(other.probability)}` : `branch: write ${other.piece} instead, ${percent(other.probability)}`);
    if (!taken) button.onclick = () => setTriggerValue("branched", { place: index, token: other.id });
    return button;
  };

  const lock = (index) => {
    locked = locked === index ? null : index;
    spans.forEach((span, other) => span.setAttribute("aria-pressed", String(other === locked)));
    show(index);
    setTriggerValue("picked", { token: locked });
  };
  const focus = (index) => {
    spans[focused].tabIndex = -1;
    focused = Math.min(tokens.length - 1, Math.max(0, index));
    spans[focused].tabIndex = 0;
    spans[focused].focus();
  };
  const resting = () => locked ?? (tokens.length ? tokens.length - 1 : null);

  const held = [...text.querySelectorAll(".token")].indexOf(text.getRootNode().activeElement); // or −1
  const spans = tokens.map((token, index) => {
    const span = document.createElement("span");
    span.textContent = token.end ? "⏹" : token.text || "·";
    span.className = token.chosen ? "token chosen" : "token";
    span.style.setProperty("--strength", `${Math.min(100, (-Math.log(Math.max(token.probability, 1e-9)) / 5) * 100).toFixed(0)}%`);
    span.setAttribute("role", "button");
    span.setAttribute("aria-pressed", String(index === locked));
    span.setAttribute("aria-label", describe(index));
    span.tabIndex = index === focused ? 0 : -1;
    span.onpointerenter = () => locked === null && show(index);
    span.onfocus = () => locked === null && show(index);
    span.onclick = () => lock(index);
    span.onkeydown = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) focus(index + step);
      else if (event.key === "Enter" || event.key === " ") lock(index);
      else if (event.key === "Escape" && locked !== null) lock(locked);
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    return span;
  });
  const prompt = document.createElement("span");
  prompt.className = "prompt";
  prompt.textContent = data.prompt;
  text.replaceChildren(prompt, ...spans);
  if (held >= 0 && held < spans.length) focus(held);
  text.setAttribute("aria-label", data.alt);
  show(resting());
}
