// Draws the pipeline with the app's own drawing, and gives way to the app's page in the moment when it stands.
const host = document.getElementById("first-sight");
const sight = host.querySelector(".sight");
const root = document.getElementById("root");
const PATIENCE = 2500; // ms for the app's page to come to rest where ours stands

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
let since = 0;
const look = (now) => {
  const theirs = depth(root);
  if (!Number.isNaN(theirs) || root.querySelector("[data-testid=stException]")) since ||= now;
  if (since && (Math.abs(theirs - depth(sight)) < 4 || now - since > PATIENCE)) {
    root.querySelector("[data-testid=stMain]").scrollTop = sight.scrollTop;
    host.remove();
  } else {
    requestAnimationFrame(look);
  }
};
requestAnimationFrame(look);
