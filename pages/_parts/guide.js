// Meanings of underlined words (pointer, keyboard focus, touch) and the keyboard map (the key ?).
// One tip and one dialog for the whole app: pages come and go, listeners on the document stay.

const TYPING = "input, textarea, select, [contenteditable=true]";

function made(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

function tips(app) {
  const tip = made("div", "tip");
  tip.id = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  const means = tip.appendChild(made("p", ""));
  const links = tip.appendChild(made("p", "links"));
  app.appendChild(tip);
  let shown = null;
  let timer = 0;

  const hide = () => {
    clearTimeout(timer);
    tip.hidden = true;
    shown?.removeAttribute("aria-describedby");
    shown = null;
  };
  const show = (term) => {
    clearTimeout(timer);
    if (shown === term) return;
    hide();
    shown = term;
    means.textContent = term.getAttribute("aria-description");
    links.replaceChildren();
    for (const [words, address] of [[`See it: ${term.dataset.where}`, term.dataset.see], ["Glossary", "glossary"]]) {
      const link = links.appendChild(made("a", "", words));
      link.href = address;
    }
    tip.hidden = false;
    term.setAttribute("aria-describedby", tip.id);
    const word = term.getBoundingClientRect();
    const left = Math.min(word.left, innerWidth - tip.offsetWidth - 12);
    const below = word.bottom + 6 + tip.offsetHeight < innerHeight;
    tip.style.left = `${Math.max(12, left)}px`;
    tip.style.top = `${below ? word.bottom + 6 : word.top - tip.offsetHeight - 6}px`;
  };
  const later = (act) => {
    clearTimeout(timer);
    timer = setTimeout(act, 180);
  };

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return; // a tap is a click
    const term = event.target.closest?.(".term");
    if (term) later(() => show(term));
    else if (tip.contains(event.target)) clearTimeout(timer);
    else if (shown && document.activeElement !== shown) later(hide);
    else if (!shown) clearTimeout(timer);
  });
  document.addEventListener("focusin", (event) => {
    const term = event.target.closest?.(".term");
    if (term && term.matches(":focus-visible")) show(term);
    else if (!term && !tip.contains(event.target)) hide();
  });
  document.addEventListener("click", (event) => {
    const term = event.target.closest?.(".term");
    if (term) show(term);
    else if (!tip.contains(event.target)) hide();
  });
  document.addEventListener("keydown", (event) => {
    const term = event.target.closest?.(".term");
    if (event.key === "Escape" && shown) {
      if (tip.contains(document.activeElement)) shown.focus();
      hide();
    } else if (term && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      show(term);
      links.firstElementChild.focus(); // its links follow nothing in the page's order
    }
  });
  addEventListener("scroll", hide, { capture: true, passive: true });
}

function keyboardMap(app) {
  const dialog = made("dialog", "keys");
  dialog.setAttribute("aria-labelledby", "keys-title");
  const title = dialog.appendChild(made("h2", "", "Keys"));
  title.id = "keys-title";
  const list = dialog.appendChild(made("div", "sections"));
  const close = dialog.appendChild(made("button", "", "Close"));
  close.onclick = () => dialog.close();
  app.appendChild(dialog);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.target.closest?.(TYPING)) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else dialog.showModal();
  });
  return (sections) => {
    list.replaceChildren(
      ...sections.map(([where, keys]) => {
        const section = made("section", "");
        section.appendChild(made("h3", "", where));
        const rows = section.appendChild(made("dl", ""));
        for (const [key, does] of keys) {
          rows.appendChild(made("dt", "")).appendChild(made("kbd", "", key));
          rows.appendChild(made("dd", "", does));
        }
        return section;
      }),
    );
  };
}

// Streamlit leaves a new page, and a run just begun, scrolled to where the reader was on the one before.
function begunAtItsTop(shown) {
  const before = window.playgroundShown;
  window.playgroundShown = shown;
  if (before && before !== shown) document.querySelector("[data-testid=stMain]")?.scrollTo({ top: 0 });
}

// A mouse leaves the focus on what it pressed, and Enter would press that again instead of doing what Enter does here.
function keysAreFreeAfterAClick() {
  const released = (event) => {
    const pressed = event.target.closest?.(".st-key-answer [role=radio], .st-key-strength [role=radio]");
    if (pressed) setTimeout(() => pressed.blur()); // the row gives itself the focus first
  };
  document.addEventListener("pointerup", released, { capture: true });
}

export default function ({ data }) {
  begunAtItsTop(data.shown);
  if (!window.playgroundGuide) {
    keysAreFreeAfterAClick();
    const app = document.querySelector(".stApp") ?? document.body;
    tips(app);
    window.playgroundGuide = keyboardMap(app);
  }
  window.playgroundGuide(data.keys);
}
