// Draws the pipeline with the app's own drawing, and gives way to the app's page in the moment when it stands.
const host = document.getElementById("first-sight");
const sight = host.querySelector(".sight");
const root = document.getElementById("root");
const REST = 400; // ms for a page that is drawn to come to rest where ours stands: one's own runs may add a line
const PATIENCE = 2500; // ms for a page that stands, but for its picture

const key = Object.keys(localStorage).find((name) => name.startsWith(`stActiveTheme-${location.pathname}-v`));
const theme = /light|dark/i.exec((key && JSON.parse(localStorage[key]).name) ?? "");
if (theme) sight.style.colorScheme = theme[0].toLowerCase();

const { words, css, js } = JSON.parse(host.querySelector("[type='application/json']").textContent);
const { default: draw } = await import(`data:text/javascript;charset=utf-8,${encodeURIComponent(js)}`);
const picture = sight.querySelector(".picture").attachShadow({ mode: "open" });
picture.innerHTML = `<style>${css}</style><ol class="stations"></ol><p class="loop"></p>`;
draw({ data: words, parentElement: picture, setTriggerValue: (_, page) => location.assign(page) });

// As soon as the app has a heading there must not be two: whoever asks the page from here on finds the app's alone.
const withdrawn = new MutationObserver(() => {
  if (!root.querySelector("h1")) return;
  withdrawn.disconnect();
  const scrolled = sight.scrollTop; // moving it loses this
  host.attachShadow({ mode: "closed" }).append(sight);
  sight.scrollTop = scrolled;
});
withdrawn.observe(root, { childList: true, subtree: true });

// How far below its title a page's last card stands: the title itself may stand lower, where the strip takes two lines.
const depth = (page) => {
  const [title, card] = [page.querySelector("h1"), page.querySelector(".card.policy")];
  return title && card ? card.getBoundingClientRect().top - title.getBoundingClientRect().top : NaN;
};
const drawn = () =>
  [...root.querySelectorAll("[data-testid=stBidiComponentIsolated]")].some(
    (one) => one.shadowRoot?.querySelector(".stations .value")?.textContent,
  );
let stands = 0;
let rests = 0;
const look = (now) => {
  const theirs = depth(root);
  if (!Number.isNaN(theirs) || root.querySelector("[data-testid=stException]")) stands ||= now;
  if (stands && drawn()) rests ||= now;
  const alike = Math.abs(theirs - depth(sight)) < 4;
  if (alike || (rests && now - rests > REST) || (stands && now - stands > PATIENCE)) {
    root.querySelector("[data-testid=stMain]").scrollTop = sight.scrollTop;
    host.remove();
  } else {
    requestAnimationFrame(look);
  }
};
requestAnimationFrame(look);
