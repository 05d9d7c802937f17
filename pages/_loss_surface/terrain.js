// A loss surface: a view one can turn beside a map one can click, and walks that are played on both.
// Every number was computed in Python; nothing here knows a loss.

const VIEW = { turn: 0.6, tilt: 0.55 };
const PER_SECOND = 7; // steps a second while playing

export default function ({ data, parentElement, setTriggerValue }) {
  const [solid, flat] = parentElement.querySelectorAll("canvas");
  const detail = parentElement.querySelector(".detail");
  const bar = parentElement.querySelector(".bar");
  const land = groundOf(data);
  const last = Math.max(0, ...data.walks.map((walk) => walk.points.length - 1));
  const ink = hex(getComputedStyle(detail).color);
  const ground = data.ground;
  // The page draws anew at a click: what moves in here goes on over that, unless the walks are other ones.
  const kept = ((window.playgroundTerrains ??= new Map()).get(data.key) ?? {});
  const same = kept.signature === data.signature;
  const heard = same ? kept.told.indexOf(data.step) : -1; // clicks may be faster than the page: an old one heard now
  const state = {
    signature: data.signature,
    step: same && (kept.playing || heard >= 0) ? kept.step : data.step,
    told: heard >= 0 ? kept.told.slice(heard) : [data.step], // steps the page was told of, from the last it has heard
    playing: same && Boolean(kept.playing),
    turn: kept.turn ?? data.view?.[0] ?? data.turn ?? VIEW.turn,
    tilt: kept.tilt ?? data.view?.[1] ?? VIEW.tilt,
  };
  window.playgroundTerrains.set(data.key, state);
  let frame, scene, alive = true, hovered = null;

  const sized = (canvas) => {
    const [width, tall] = [canvas.clientWidth || 500, data.tall];
    const ratio = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [Math.ceil(width * ratio), Math.ceil(tall * ratio)];
    canvas.style.height = `${tall}px`;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.font = "12px system-ui, sans-serif";
    [context.textBaseline, context.lineJoin] = ["middle", "round"];
    return [richPen(context, ink), width, tall];
  };
  const draw = () => {
    const [map, width, tall] = sized(flat);
    frame = land.map(width, tall);
    paintMap(map, data, frame, land, state.step, ink, ground);
    const [pen, wide, high] = sized(solid);
    scene = land.view(wide, high, state.turn, state.tilt);
    paintView(pen, data, scene, land, state.step, ink, ground);
    if (hovered) {
      const [x, y] = frame.place(hovered);
      map.path(`M${x - 6} ${y}H${x + 6}M${x} ${y - 6}V${y + 6}`, ink, 1);
    }
  };
  const say = () => {
    const at = Math.round(state.step);
    const lines = data.walks.map((walk) => walk.notes[Math.min(at, walk.points.length - 1)]).filter(Boolean);
    detail.replaceChildren(
      ...(lines.length ? lines : [data.hint]).map((line) => {
        const row = document.createElement("div");
        row.textContent = line;
        return row;
      }),
    );
    if (count) count.textContent = `step ${at} of ${last}`;
    if (play) {
      play.textContent = state.playing ? "❚❚ Pause" : "▶ Play";
      play.title = state.playing ? "Pause" : "Play";
      play.setAttribute("aria-label", play.title);
    }
  };
  let waiting = false;
  const refresh = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (!alive) return;
      draw();
      say();
    });
  };

  const tellStep = () => {
    state.told.push(Math.round(state.step));
    setTriggerValue("step", { value: state.told.at(-1) });
  };
  const go = (step, tell = true) => {
    state.step = Math.min(last, Math.max(0, step));
    if (tell) tellStep();
    refresh();
  };
  const pause = () => {
    if (!state.playing) return;
    state.playing = false;
    go(Math.round(state.step));
  };
  const tick = (before) => (now) => {
    if (!alive || !state.playing) return;
    // A frame begins before the click that it follows: its time may be the earlier one.
    state.step = Math.min(last, state.step + (Math.max(0, now - before) / 1000) * PER_SECOND);
    draw();
    say();
    if (state.step >= last) return pause();
    // The numbers beside the picture follow once a second: each telling draws the page anew.
    if (Math.round(state.step) - state.told.at(-1) >= PER_SECOND) tellStep();
    requestAnimationFrame(tick(now));
  };
  const toggle = () => {
    if (state.playing) return pause();
    if (state.step >= last) state.step = 0;
    state.playing = true;
    tellStep();
    requestAnimationFrame(tick(performance.now()));
  };

  const stopAnd = (act) => () => {
    state.playing = false;
    act();
  };
  // Built once: while a walk is played the page draws anew each second, and a button that is another one between press
  // and release hears no click, nor keeps the focus. What they do is looked up at the click.
  bar.acts = {
    back: stopAnd(() => go(0)),
    less: stopAnd(() => go(Math.round(state.step) - 1)),
    more: stopAnd(() => go(Math.round(state.step) + 1)),
    toggle,
  };
  const built = JSON.stringify([last > 0 && data.playable, data.walks.map(({ name, dash, colour }) => [name, dash, colour])]);
  if (bar.built !== built) {
    bar.built = built;
    fillBar(bar, data.walks, last > 0 && data.playable);
  }
  const [play, count] = [bar.querySelector(".play"), bar.querySelector(".count")];

  const pick = (point) => {
    if (!data.pickable || !point) return;
    state.playing = false;
    setTriggerValue("picked", { x: Number(point[0].toPrecision(4)), y: Number(point[1].toPrecision(4)) });
  };
  const inside = (event, canvas) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  flat.style.cursor = data.pickable ? "crosshair" : "default";
  flat.onclick = (event) => pick(frame.back(...inside(event, flat)));
  solid.onpointerdown = (event) => {
    solid.held = { from: inside(event, solid), last: inside(event, solid), moved: false };
    solid.setPointerCapture(event.pointerId);
  };
  solid.onpointermove = (event) => {
    if (!solid.held) return;
    const [x, y] = inside(event, solid);
    solid.held.moved ||= Math.hypot(x - solid.held.from[0], y - solid.held.from[1]) > 4;
    if (solid.held.moved) turn((x - solid.held.last[0]) / 120, (y - solid.held.last[1]) / 150);
    solid.held.last = [x, y];
  };
  solid.onpointerup = (event) => {
    if (solid.held?.moved) tellView();
    else if (solid.held) pick(scene.under(...inside(event, solid)));
    solid.held = null;
  };
  solid.onpointercancel = () => (solid.held = null);
  const turn = (right, down) => {
    state.turn -= right;
    state.tilt = Math.max(0.05, Math.min(1.5, state.tilt + down));
    refresh();
  };
  const tellView = () => setTriggerValue("view", { value: `${state.turn.toFixed(2)}_${state.tilt.toFixed(2)}` });
  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const listen = (canvas, act) => {
    canvas.onkeydown = (event) => {
      if (ways[event.key]) act(...ways[event.key]);
      else if (event.key === "Enter" && canvas === flat && hovered) {
        pick(hovered);
        hovered = null;
      } else if (event.key === "Escape") hovered = null;
      else return;
      refresh();
      event.preventDefault();
      event.stopPropagation();
    };
  };
  listen(solid, (right, up) => {
    turn(right / 10, -up / 12);
    tellView();
  });
  // The keyboard moves a cross over the map, a twentieth of its width at a time; Enter puts the point there.
  listen(flat, (right, up) => {
    if (!data.pickable) return;
    const [x, y] = hovered ?? data.walks[0]?.points[0] ?? [land.xs[0], land.ys[0]];
    const moved = [x + (right * (land.xs[land.nx - 1] - land.xs[0])) / 20, y + (up * (land.ys[land.ny - 1] - land.ys[0])) / 20];
    if (land.inside(moved)) hovered = moved;
  });

  solid.setAttribute("aria-label", data.alt + " Arrow keys turn it.");
  flat.setAttribute("aria-label", "Map of the same surface." + (data.pickable ? " Arrow keys move a cross, Enter puts the start there." : ""));
  draw();
  say();
  if (state.playing) requestAnimationFrame(tick(performance.now()));
  const watcher = new ResizeObserver(refresh);
  watcher.observe(flat);
  registerFigure(data.key, {
    svg: () => {
      const pen = svgPen(ink);
      paintMap(pen, data, land.map(620, data.tall), land, state.step, ink, ground);
      return pen.file(620, data.tall);
    },
    csv: () => [[data.axes[1] + " \\ " + data.axes[0], ...land.xs], ...land.ys.map((y, row) => [y, ...land.xs.map((_, column) => land.at(row, column) ?? "")])],
  });
  return inPlaceOf(parentElement, () => {
    alive = false;
    watcher.disconnect();
  });
}

// The buttons that move along the walks, where there is anything to move along, and the walks' names.
function fillBar(bar, walks, playable) {
  bar.replaceChildren();
  if (playable) {
    const count = document.createElement("span");
    count.className = "count";
    const play = button("▶ Play", "Play", () => bar.acts.toggle());
    play.classList.add("play");
    bar.append(
      button("⟲ Reset", "Back to the start", () => bar.acts.back()),
      button("‹ Back", "One step back", () => bar.acts.less()),
      button("Step ›", "One step", () => bar.acts.more()),
      play,
      count,
    );
  }
  for (const walk of walks.filter(() => walks.length > 1)) {
    const name = document.createElement("span");
    name.className = "name";
    const line = document.createElement("span");
    line.className = "line";
    line.style.borderTop = `3px ${walk.dash.length ? (walk.dash[0] > 3 ? "dashed" : "dotted") : "solid"} ${walk.colour}`;
    name.append(line, walk.name);
    bar.append(name);
  }
}

function hex(colour) {
  const parts = colour.match(/[\d.]+/g).slice(0, 3);
  return "#" + parts.map((part) => Math.round(Number(part)).toString(16).padStart(2, "0")).join("");
}
