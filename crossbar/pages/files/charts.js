// SPDX-License-Identifier: MPL-2.0
// Line charts of the last minutes, drawn in SVG.

const SVG = "http://www.w3.org/2000/svg";
const MOST = 151;
const HEIGHT = 170;
const EDGE = { left: 52, right: 12, top: 12, bottom: 24 };
const STEPS = [1, 2, 2.5, 5, 10];

function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function html(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** The next round number from `value` on, to end a scale of four parts with. */
function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * STEPS.find((step) => step * power >= value * 0.999);
}

let charts = 0;

/** A chart: `title`, `series` (names), `format` (number → text); `push` adds what is known now. */
export class LineChart {
  constructor({ title, series, format, least = 0 }) {
    Object.assign(this, { title, series, format, least, points: [], at: null });
    const id = `chart-${charts++}`;
    this.drawing = svg("svg", { height: HEIGHT, "aria-hidden": "true", focusable: "false" });
    this.values = series.map(() => html("b"));
    const keys = series.map((name, index) => {
      const sample = svg("svg", { width: 22, height: 8, "aria-hidden": "true" }, svg("line", { x1: 1, x2: 21, y1: 4, y2: 4, class: `line s${index}` }));
      return html("li", "", sample, ` ${name} `, this.values[index]);
    });
    this.heading = html("h2", "", title);
    this.heading.id = id;
    this.when = html("span", "when muted");
    this.element = html("figure", "box chart", html("div", "chart-head", this.heading, this.when), this.drawing, html("ul", "keys", ...keys));
    this.element.setAttribute("aria-labelledby", id);
    this.element.tabIndex = 0;
    this.element.addEventListener("pointermove", (event) => this.point(event));
    this.element.addEventListener("pointerleave", () => this.show(null));
    this.element.addEventListener("keydown", (event) => this.step(event));
    this.element.addEventListener("blur", () => this.show(null));
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /** Add one value a series at a time (s); null where there is none. */
  push(time, values) {
    this.points.push({ time, values });
    if (this.points.length > MOST) {
      this.points.shift();
      if (this.at !== null) this.at = Math.max(this.at - 1, 0);
    }
    this.draw();
  }

  point(event) {
    const box = this.drawing.getBoundingClientRect();
    const width = box.width - EDGE.left - EDGE.right;
    const place = Math.round(((event.clientX - box.left - EDGE.left) / width) * (MOST - 1)) - (MOST - this.points.length);
    this.show(place >= 0 && place < this.points.length ? place : null);
  }

  step(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way || !this.points.length) return;
    event.preventDefault();
    const last = this.points.length - 1;
    this.show(Math.min(Math.max((this.at ?? last + 1) + way, 0), last));
  }

  show(place) {
    this.at = place;
    this.draw();
  }

  draw() {
    const width = Math.floor(this.element.clientWidth - 2 * parseFloat(getComputedStyle(this.element).paddingLeft));
    if (width <= 0) return;
    const inner = { width: width - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
    const known = this.points.flatMap((point) => point.values).filter((value) => value !== null);
    const top = roundUp(Math.max(this.least, ...known));
    const x = (index) => EDGE.left + ((index + MOST - this.points.length) / (MOST - 1)) * inner.width;
    const y = (value) => EDGE.top + (1 - value / top) * inner.height;
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      const level = y(top * share);
      parts.push(svg("line", { x1: EDGE.left, x2: width - EDGE.right, y1: level, y2: level, class: "grid" }));
      parts.push(svg("text", { x: EDGE.left - 8, y: level + 4, class: "tick end" }, this.format(top * share)));
    }
    parts.push(svg("text", { x: EDGE.left, y: HEIGHT - 6, class: "tick" }, "5 min ago"));
    parts.push(svg("text", { x: width - EDGE.right, y: HEIGHT - 6, class: "tick end" }, "now"));
    this.series.forEach((_, index) => {
      let path = "";
      let pen = "M";
      this.points.forEach((point, place) => {
        const value = point.values[index];
        if (value === null) { pen = "M"; return; }
        path += `${pen}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
        pen = "L";
      });
      parts.push(svg("path", { d: path, class: `line s${index}` }));
    });
    if (this.at !== null) parts.push(svg("line", { x1: x(this.at), x2: x(this.at), y1: EDGE.top, y2: HEIGHT - EDGE.bottom, class: "cursor" }));
    this.drawing.setAttribute("width", width);
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.drawing.replaceChildren(...parts);
    this.tell();
  }

  tell() {
    const last = this.points.length - 1;
    const shown = this.points[this.at ?? last];
    this.values.forEach((place, index) => {
      const value = shown?.values[index] ?? null;
      place.textContent = value === null ? "–" : this.format(value);
    });
    this.when.textContent = this.at === null || !shown ? "" : new Date(shown.time * 1000).toLocaleTimeString();
  }
}
