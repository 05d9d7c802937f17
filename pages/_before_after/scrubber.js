// Moves through the checkpoints without asking the server: every text is here already. Where the reader lets go is told
// once, for the URL. Model text enters the page through textContent alone.

const SECONDS_A_STOP = 1.4;

export default function ({ data, parentElement, setTriggerValue }) {
  const find = (name) => parentElement.querySelector(name);
  const [play, back, on, slider, where, facts, answers] = [".play", ".back", ".on", "input", ".where", ".facts", ".answers"].map(find);
  const last = data.stops.length - 1;
  let timer = null;

  const part = (kind, words) => {
    const element = document.createElement(kind);
    element.textContent = words;
    return element;
  };
  const show = (place) => {
    const stop = data.stops[place];
    slider.value = place;
    slider.setAttribute("aria-valuetext", stop.title);
    where.textContent = stop.title;
    facts.replaceChildren(
      ...stop.facts.map(([name, words]) => {
        const fact = part("span", `${name} `);
        fact.append(part("b", words));
        return fact;
      }),
    );
    answers.classList.toggle("first", place === 0);
    answers.replaceChildren(
      ...stop.answers.map((stretches, index) => {
        const paragraph = document.createElement("p");
        const prompt = part("span", data.prompts[index]);
        prompt.className = "prompt";
        paragraph.append(prompt, ...stretches.map(([words, differs]) => part(differs ? "mark" : "span", words)));
        return paragraph;
      }),
    );
  };
  const at = () => Number(slider.value);
  const settle = () => setTriggerValue("place", at());
  const pause = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ Play";
    play.setAttribute("aria-pressed", "false");
  };
  const step = (by) => {
    pause();
    show(Math.min(last, Math.max(0, at() + by)));
    settle();
  };

  slider.max = last;
  slider.oninput = () => {
    pause();
    show(at());
  };
  slider.onchange = settle;
  back.onclick = () => step(-1);
  on.onclick = () => step(1);
  play.onclick = () => {
    if (timer) {
      pause();
      settle();
      return;
    }
    if (at() === last) show(0);
    play.textContent = "⏸ Pause";
    play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      show(at() + 1);
      if (at() === last) {
        pause();
        settle();
      }
    }, 1000 * SECONDS_A_STOP);
  };
  pause();
  show(data.at);
  return inPlaceOf(parentElement, () => clearInterval(timer));
}
