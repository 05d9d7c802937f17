// One response, a span a token, tinted by its number. Hover or arrow keys preview, a click or Enter locks, a second
// time or Escape unlocks. The server keeps what is locked. Model text enters the page through textContent alone.

const visible = (text) => text.replaceAll("\n", "⏎").replaceAll("\t", "⇥") || "∅";
const exact = (value) => {
  const size = Math.abs(value);
  const words = size !== 0 && size < 1e-3 ? size.toExponential(1) : String(Number(size.toPrecision(3)));
  return (value < 0 ? "−" : "+") + words;
};

export default function ({ data, parentElement, setTriggerValue }) {
  const strip = parentElement.querySelector(".strip");
  const detail = parentElement.querySelector(".detail");
  const legend = parentElement.querySelector(".legend");
  const { tokens, shown } = data;
  let locked = data.locked;
  let focused = shown;

  const describe = (index) => `token ${index + 1} of ${tokens.length}, “${visible(tokens[index][0]).trim() || "␣"}”: ${data.title} ${exact(tokens[index][1])}`;
  const show = (index) => {
    const hint = index === locked ? "  (locked: click again to let go)" : "";
    detail.textContent = describe(index) + hint;
  };
  const lock = (index) => {
    locked = locked === index ? null : index;
    setTriggerValue("picked", { token: locked });
  };
  const focus = (index) => {
    spans[focused].tabIndex = -1;
    focused = Math.min(tokens.length - 1, Math.max(0, index));
    spans[focused].tabIndex = 0;
    spans[focused].focus();
  };

  const held = [...strip.querySelectorAll(".token")].indexOf(strip.getRootNode().activeElement); // or −1
  const spans = tokens.map(([text, value], index) => {
    const span = document.createElement("span");
    span.textContent = visible(text);
    span.className = value >= 0 ? "token above" : "token below";
    if (index === shown) span.classList.add("shown");
    span.style.setProperty("--strength", `${(Math.min(1, Math.abs(value) / data.full) * 100).toFixed(0)}%`);
    span.setAttribute("role", "button");
    span.setAttribute("aria-pressed", String(index === locked));
    span.setAttribute("aria-label", describe(index));
    span.tabIndex = index === focused ? 0 : -1;
    span.onpointerenter = () => show(index);
    span.onpointerleave = () => show(shown);
    span.onfocus = () => show(index);
    span.onblur = () => show(shown);
    span.onclick = () => lock(index);
    span.onkeydown = (event) => {
      const to = { ArrowRight: focused + 1, ArrowLeft: focused - 1, Home: 0, End: tokens.length - 1 }[event.key];
      if (to !== undefined) focus(to);
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
  strip.replaceChildren(prompt, ...spans);
  strip.setAttribute("aria-label", data.alt);
  if (held >= 0 && held < spans.length) focus(held);
  show(held >= 0 ? focused : shown);

  for (const [name, value] of [["low", -data.full], ["zero", 0], ["high", data.full]]) {
    legend.querySelector(`.${name}`).textContent = value ? exact(value) : "0";
  }
  legend.classList.toggle("unsigned", !data.signed);
  legend.querySelector(".what").textContent = `${data.title}: ${data.unit}`;
}
