// A surface over two coordinates, as numbers: where its points fall on a map and in a turning view, and its level lines.

const MARGINS = { left: 46, right: 12, top: 22, bottom: 34 }; // of the map, in pixels
const TALL = 0.5; // height of the surface, in widths of its base

function groundOf(data) {
  const { xs, ys, values } = data;
  const [nx, ny] = [xs.length, ys.length];
  const share = (list, value) => (value - list[0]) / (list[list.length - 1] - list[0]);
  const height = (value) => Math.min(1.04, Math.max(0, (value - data.low) / (data.high - data.low || 1)));
  const at = (row, column) => values[row * nx + column];
  const inside = ([x, y]) => share(xs, x) >= 0 && share(xs, x) <= 1 && share(ys, y) >= 0 && share(ys, y) <= 1;

  // Marching squares: for each level the segments in which the surface crosses it, in data coordinates.
  const linesAt = (level) => {
    const segments = [];
    for (let row = 0; row + 1 < ny; row++)
      for (let column = 0; column + 1 < nx; column++) {
        const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]];
        const cuts = [];
        corners.forEach(([r, c], i) => {
          const [r2, c2] = corners[(i + 1) % 4];
          const [a, b] = [at(r, c), at(r2, c2)];
          if (a === null || b === null || a < level === b < level) return;
          const along = (level - a) / (b - a);
          cuts.push([xs[c] + along * (xs[c2] - xs[c]), ys[r] + along * (ys[r2] - ys[r])]);
        });
        for (let i = 0; i + 1 < cuts.length; i += 2) segments.push([cuts[i], cuts[i + 1]]);
      }
    return segments;
  };

  const map = (width, tall) => {
    const [w, h] = [width - MARGINS.left - MARGINS.right, tall - MARGINS.top - MARGINS.bottom];
    return {
      left: MARGINS.left,
      top: MARGINS.top,
      width: w,
      height: h,
      place: ([x, y]) => [MARGINS.left + share(xs, x) * w, MARGINS.top + (1 - share(ys, y)) * h],
      back: (px, py) => {
        const [u, v] = [(px - MARGINS.left) / w, 1 - (py - MARGINS.top) / h];
        if (u < 0 || u > 1 || v < 0 || v > 1) return null;
        return [xs[0] + u * (xs[nx - 1] - xs[0]), ys[0] + v * (ys[ny - 1] - ys[0])];
      },
    };
  };

  // The base turns around its middle, then the whole tips towards the reader; far things are not smaller.
  const view = (width, tall, turn, tilt) => {
    const scale = Math.min(width / 1.8, tall / 1.2); // room for the names at its edges
    const [c, s, ct, st] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
    const project = (x, y, value) => {
      const [u, v, z] = [share(xs, x) - 0.5, share(ys, y) - 0.5, TALL * (height(value) - 0.5)];
      const [right, away] = [u * c - v * s, u * s + v * c];
      return [width / 2 + scale * right, tall / 2 - scale * (z * ct + away * st), away * ct - z * st];
    };
    const quads = [];
    for (let row = 0; row + 1 < ny; row++)
      for (let column = 0; column + 1 < nx; column++) {
        const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]];
        const heights = corners.map(([r, col]) => at(r, col));
        if (heights.includes(null)) continue;
        const points = corners.map(([r, col], i) => project(xs[col], ys[r], heights[i]));
        const depth = points.reduce((sum, point) => sum + point[2], 0);
        const mean = heights.reduce((sum, value) => sum + value, 0) / 4;
        quads.push({ points, depth, mean, middle: [(xs[column] + xs[column + 1]) / 2, (ys[row] + ys[row + 1]) / 2] });
      }
    quads.sort((a, b) => b.depth - a.depth); // the farthest first
    const under = (px, py) => {
      for (let i = quads.length - 1; i >= 0; i--) if (within(quads[i].points, px, py)) return quads[i].middle;
      return null;
    };
    return { project, quads, under, middle: width / 2 };
  };
  return { xs, ys, nx, ny, at, height, inside, linesAt, map, view };
}

function within(corners, x, y) {
  let odd = false;
  corners.forEach(([ax, ay], i) => {
    const [bx, by] = corners[(i + 1) % corners.length];
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) odd = !odd;
  });
  return odd;
}

// About five round numbers between two.
function ticksBetween(from, to) {
  const rough = (to - from) / 5;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * unit >= rough) * unit;
  const ticks = [];
  for (let value = Math.ceil(from / step) * step; value <= to + 1e-9 * step; value += step) ticks.push(value);
  return ticks.map((value) => (Math.abs(value) < step / 1e6 ? 0 : value));
}

function short(value) {
  const size = Math.abs(value);
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)) + 0).replace("-", "−");
}
