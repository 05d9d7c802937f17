// The two pictures of one surface: the strokes are the same on the canvas and in the SVG file.

function shadeOf(data, value) {
  const share = Math.min(1, Math.max(0, (value - data.low) / (data.high - data.low || 1)));
  const place = share * (data.colours.length - 1);
  return mix(data.colours[Math.floor(place)], data.colours[Math.ceil(place)], place % 1);
}

function richPen(context, ink) {
  const pen = canvasPen(context, ink);
  pen.path = (d, stroke, width, dash = []) => {
    [context.strokeStyle, context.lineWidth] = [stroke, width];
    context.setLineDash(dash);
    context.stroke(new Path2D(d));
    context.setLineDash([]);
  };
  pen.area = (d, fill, stroke) => {
    const path = new Path2D(d);
    [context.fillStyle, context.strokeStyle, context.lineWidth] = [fill, stroke, 0.5];
    context.fill(path);
    context.stroke(path);
  };
  pen.clip = (x, y, width, height) => {
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
  };
  pen.unclip = () => context.restore();
  pen.smooth = (land, frame, shade) => {
    const small = document.createElement("canvas");
    [small.width, small.height] = [land.nx, land.ny];
    const dots = small.getContext("2d");
    for (let row = 0; row < land.ny; row++)
      for (let column = 0; column < land.nx; column++) {
        dots.fillStyle = shade(land.at(row, column));
        dots.fillRect(column, land.ny - 1 - row, 1, 1);
      }
    // from the middle of the first point to the middle of the last
    context.imageSmoothingEnabled = true;
    context.drawImage(small, 0.5, 0.5, land.nx - 1, land.ny - 1, frame.left, frame.top, frame.width, frame.height);
  };
  return pen;
}

const joined = (points) => "M" + points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");

function marker(pen, [x, y], shape, size, colour, ground) {
  const forms = {
    diamond: [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]],
    square: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
    triangle: [[0, -1.2], [1.15, 0.9], [-1.15, 0.9]],
    cross: [[-1, -0.35], [-0.35, -0.35], [-0.35, -1], [0.35, -1], [0.35, -0.35], [1, -0.35], [1, 0.35], [0.35, 0.35], [0.35, 1], [-0.35, 1], [-0.35, 0.35], [-1, 0.35]],
    circle: Array.from({ length: 16 }, (_, i) => [Math.cos((i * Math.PI) / 8), Math.sin((i * Math.PI) / 8)]),
  };
  pen.area(joined(forms[shape].map(([u, v]) => [x + u * size, y + v * size])) + "Z", colour, ground);
}

function arrow(pen, [ax, ay], [bx, by], colour) {
  const long = Math.hypot(bx - ax, by - ay);
  if (long < 3) return;
  const [u, v] = [(bx - ax) / long, (by - ay) / long];
  pen.path(joined([[ax, ay], [bx, by]]), colour, 3);
  pen.area(joined([[bx + 6 * u, by + 6 * v], [bx - 5 * v - 3 * u, by + 5 * u - 3 * v], [bx + 5 * v - 3 * u, by - 5 * u - 3 * v]]) + "Z", colour, colour);
}

// What has been walked by `step` (a fraction: part of the next stretch), in the picture's own places.
function trail(walk, step, place) {
  const whole = Math.min(Math.floor(step), walk.points.length - 1);
  const points = walk.points.slice(0, whole + 1).map(place);
  if (whole + 1 < walk.points.length && step > whole) {
    const [from, to] = [points[whole], place(walk.points[whole + 1])];
    const part = step - whole;
    points.push([from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])]);
  }
  return points;
}

function paintWalks(pen, data, step, place, ground) {
  for (const walk of [...data.walks].reverse()) { // the first on top
    const points = trail(walk, step, place);
    pen.path(joined(points.length > 1 ? points : [points[0], points[0]]), ground, 4.5);
    if (points.length > 1) pen.path(joined(points), walk.colour, 2, walk.dash);
    if (walk.shades) points.forEach((point, i) => walk.shades[i] !== undefined && marker(pen, point, walk.shape, 5, shadeOf(data, walk.shades[i]), walk.colour));
    else points.slice(0, -1).forEach((point) => marker(pen, point, walk.shape, 2.2, walk.colour, walk.colour));
    marker(pen, points[points.length - 1], walk.shape, 7, walk.colour, ground);
  }
}

function paintMap(pen, data, frame, land, step, ink, ground) {
  paintCells(pen, data, frame, land);
  pen.clip?.(frame.left, frame.top, frame.width, frame.height);
  const names = paintLevels(pen, data, frame, land);
  for (const line of data.lines) pen.path(joined(line.points.map(frame.place)), readable(shadeOf(data, line.value)), 1.4, [5, 4]);
  for (const { level, at: [x, y], colour } of names) pen.text(short(level), x, y, { align: "center", colour });
  paintWalks(pen, data, step, frame.place, ground);
  for (const mark of data.marks) {
    const point = frame.place(mark.point);
    marker(pen, point, mark.shape, 7, mark.colour, ground);
    pen.text(mark.name, point[0] + (mark.left ? -11 : 11), point[1] - 10, { align: mark.left ? "right" : "left", colour: readable(shadeOf(data, mark.point[2])) });
  }
  const at = Math.round(step);
  for (const walk of data.walks) if (walk.arrows?.[at]) arrow(pen, frame.place(walk.points[at]), frame.place(walk.arrows[at]), ink);
  pen.unclip?.();
  for (const value of ticksBetween(land.xs[0], land.xs[land.nx - 1]))
    pen.text(short(value), frame.place([value, land.ys[0]])[0], frame.top + frame.height + 10, { align: "center" });
  for (const value of ticksBetween(land.ys[0], land.ys[land.ny - 1]))
    pen.text(short(value), frame.left - 5, frame.place([land.xs[0], value])[1], { align: "right" });
  pen.text(data.axes[0] + " →", frame.left + frame.width, frame.top + frame.height + 26, { align: "right" });
  pen.text("↑ " + data.axes[1], frame.left, 10);
}

// Level lines; returns their names, one each, in a different part of its length so that names do not meet, and off the
// walks and lines where there is room.
function paintLevels(pen, data, frame, land) {
  const named = [];
  const strokes = [...data.walks, ...data.lines].flatMap(({ points }) => {
    const placed = points.map(frame.place);
    return placed.slice(1).map((to, i) => [placed[i], to]);
  });
  data.levels.forEach((level, i) => {
    const segments = land.linesAt(level);
    if (!segments.length) return;
    const line = readable(shadeOf(data, level));
    pen.path(segments.map(([a, b]) => joined([frame.place(a), frame.place(b)])).join(""), line, 0.6);
    const wanted = frame.top + frame.height * (0.85 - (0.7 * i) / data.levels.length);
    const free = segments
      .map(([a]) => frame.place(a))
      .filter(([x, y]) => x > frame.left + 16 && x < frame.left + frame.width - 16 && y > frame.top + 8 && y < frame.top + frame.height - 8)
      .filter(([x, y]) => named.every(({ at: [u, v] }) => Math.abs(x - u) > 32 || Math.abs(y - v) > 14));
    if (!free.length) return;
    const clear = free.filter((_, i) => i % 3 === 0).filter((one) => strokes.every((stroke) => distance(one, stroke) > 15));
    if (!clear.length && named.length > 2) return; // better no name than one that is written over
    const at = (clear.length ? clear : free).reduce((best, one) => (Math.abs(one[1] - wanted) < Math.abs(best[1] - wanted) ? one : best));
    named.push({ level, at, colour: line });
  });
  return named;
}

// From a point to a stretch of a line.
function distance([x, y], [[ax, ay], [bx, by]]) {
  const [dx, dy] = [bx - ax, by - ay];
  const share = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}

// One cell a point, cut off at the edge of the picture; on the canvas an exact surface is drawn without steps.
function paintCells(pen, data, frame, land) {
  if (data.smooth && pen.smooth) return pen.smooth(land, frame, (value) => shadeOf(data, value));
  const [across, down] = [frame.width / (land.nx - 1), frame.height / (land.ny - 1)];
  for (let row = 0; row < land.ny; row++)
    for (let column = 0; column < land.nx; column++) {
      const value = land.at(row, column);
      if (value === null) continue;
      const [x, y] = frame.place([land.xs[column], land.ys[row]]);
      const [left, top] = [Math.max(frame.left, x - across / 2), Math.max(frame.top, y - down / 2)];
      const [right, bottom] = [Math.min(frame.left + frame.width, x + across / 2), Math.min(frame.top + frame.height, y + down / 2)];
      pen.cell(left - 0.3, top - 0.3, right - left + 0.6, bottom - top + 0.6, shadeOf(data, value));
    }
}

function paintView(pen, data, scene, land, step, ink, ground) {
  for (const quad of scene.quads) pen.area(joined(quad.points) + "Z", shadeOf(data, quad.mean), mix(shadeOf(data, quad.mean), ink, 0.18));
  const [x0, x1, y0, y1] = [land.xs[0], land.xs[land.nx - 1], land.ys[0], land.ys[land.ny - 1]];
  const faint = mix(ground, ink, 0.45);
  const base = (x, y) => scene.project(x, y, data.low);
  const corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  // the two edges of the base that lie in front carry the names
  const edges = corners.map((corner, i) => ({ from: corner, to: corners[(i + 1) % 4], axis: i % 2 }));
  const depth = ({ from, to }) => base(...from)[2] + base(...to)[2];
  for (const axis of [0, 1]) {
    const near = edges.filter((edge) => edge.axis === axis).sort((a, b) => depth(a) - depth(b))[0];
    const [a, b] = [base(...near.from), base(...near.to)];
    pen.path(joined([a, b]), faint, 1);
    const rising = near.from[axis] < near.to[axis];
    const [low, high] = rising ? [a, b] : [b, a];
    const range = axis ? [y0, y1] : [x0, x1];
    const along = (share) => [low[0] + share * (high[0] - low[0]), low[1] + share * (high[1] - low[1])];
    const side = (a[0] + b[0]) / 2 < scene.middle ? "right" : "left"; // beside the base: under it the two edges' would meet
    for (const [share, value] of [[0.12, range[0]], [0.88, range[1]]]) {
      const [x, y] = along(share);
      pen.text(short(value), x + (side === "right" ? -3 : 3), y + 11, { align: side });
    }
    const wide = 7 * data.axes[axis].length + 4; // about: turned, an edge may lie where its name has no room
    const beside = (a[0] + b[0]) / 2 + (side === "right" ? -8 : 8);
    const inside = side === "right" ? Math.max(beside, wide) : Math.min(beside, 2 * scene.middle - wide);
    pen.text(data.axes[axis], inside, (a[1] + b[1]) / 2 + 18, { align: side });
  }
  const left = corners.map((corner) => [...corner]).sort((a, b) => base(...a)[0] - base(...b)[0])[0];
  const [foot, head] = [base(...left), scene.project(...left, data.high)];
  pen.path(joined([foot, head]), faint, 1);
  pen.text(short(data.high), head[0] - 5, head[1], { align: "right" });
  pen.text(short(data.low), foot[0] - 5, foot[1], { align: "right" });
  pen.text(data.axes[2] + " ↑", Math.max(4, head[0] - 40), 10);
  const place = ([x, y, z]) => {
    const [px, py] = scene.project(x, y, z);
    return [px, py - 2];
  };
  for (const mark of data.marks) {
    marker(pen, place(mark.point), mark.shape, 6, mark.colour, ground);
  }
  paintWalks(pen, data, step, place, ground);
}
