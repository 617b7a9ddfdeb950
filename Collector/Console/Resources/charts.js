// Drawing with dygraphs: one board of charts that zoom and point together.
import { element, setText, table, heading, cell } from './dom.js';
import { formatterOf, localTime } from './format.js';
import { newest } from './series.js';

const colourCount = 8;

/** Loads the chart library of the system; false when the collector does not have it. */
export function loadLibrary() {
  const style = element('link', { rel: 'stylesheet', href: '/assets/dygraph.min.css' });
  // Before ours, so that ours has the last word.
  document.head.insertBefore(style, document.head.querySelector('link[rel=stylesheet]'));
  return new Promise((resolve) => {
    const script = element('script', { src: '/assets/dygraph.min.js' });
    script.addEventListener('load', () => resolve(typeof globalThis.Dygraph === 'function'));
    script.addEventListener('error', () => resolve(false));
    document.head.append(script);
  });
}

export class ChartBoard {
  #charts = new Map();
  #window = [0, 0];
  #zoom = null;
  #isApplying = false;
  #pending = 0;
  #onZoom;
  #sizes = new ResizeObserver(() => this.#apply((chart) => chart.resize()));

  /** `onZoom(isZoomed)` is told when the reader zooms or returns. */
  constructor(onZoom) {
    this.node = element('div', { class: 'charts' });
    this.#onZoom = onZoom;
    addEventListener('farwatch:theme', () => this.#apply((chart) => chart.paint()));
  }

  /** Shows the charts over `window` ([from, to] in milliseconds), keeping the zoom. */
  show(charts, window) {
    this.#window = window;
    const keys = new Set(charts.map((chart) => chart.key));
    for (const [key, chart] of this.#charts) {
      if (keys.has(key)) continue;
      chart.remove();
      this.#charts.delete(key);
    }
    // All frames first: the library measures its frame, and that depends on how many there are.
    charts.forEach(({ key, title }, index) => {
      if (!this.#charts.has(key)) this.#charts.set(key, new Chart(this, key, title));
      const { node, canvas } = this.#charts.get(key);
      if (this.node.children[index] !== node) this.node.insertBefore(node, this.node.children[index] ?? null);
      this.#sizes.observe(canvas);
    });
    this.#apply(() => charts.forEach((data) => this.#charts.get(data.key).update(data, this.#zoom ?? window)));
  }

  resetZoom() { this.#setZoom(null); }

  /** A chart was drawn. When that was the reader's doing, all others follow. */
  drawn(range) {
    if (this.#isApplying) return;
    const [from, to] = this.#zoom ?? this.#window;
    if (range && range[0] === from && range[1] === to) return;
    this.#setZoom(range);
  }

  /** All charts show their values at `time`; null is the newest. */
  point(time) {
    for (const chart of this.#charts.values()) chart.point(time);
  }

  #setZoom(zoom) {
    this.#zoom = zoom;
    this.#onZoom(zoom !== null);
    // Not within the drawing of the chart that began it, and once a frame at most.
    cancelAnimationFrame(this.#pending);
    this.#pending = requestAnimationFrame(() => this.#apply((chart) => chart.look(this.#zoom ?? this.#window, zoom === null)));
  }

  #apply(action) {
    this.#isApplying = true;
    try {
      if (action.length === 0) action();
      else for (const chart of this.#charts.values()) action(chart);
    } finally {
      this.#isApplying = false;
    }
  }
}

class Chart {
  #board;
  #data = { series: [] };
  #names = '';
  #graph = null;
  #entries = [];
  #time = null;

  constructor(board, key, title) {
    this.#board = board;
    this.canvas = element('div', { class: 'canvas' });
    this.legend = element('ul', { class: 'legend' });
    this.at = element('span', { class: 'muted' });
    this.note = element('p', { class: 'muted', hidden: true });
    this.node = element('figure', { class: 'sheet chart', 'data-chart': key },
      element('figcaption', {}, element('h3', {}, title), this.at), this.canvas, this.legend, this.note);
  }

  update(data, window) {
    this.#data = data;
    this.format = formatterOf(data.metric);
    this.note.hidden = data.leftOut === 0;
    setText(this.note, data.leftOut ? `${data.leftOut} more series are not shown.` : '');
    const names = JSON.stringify(data.series.map((series) => series.name));
    if (names === this.#names) {
      this.#graph.updateOptions({ file: rowsOf(data.series, window), dateWindow: window });
    } else {
      this.#names = names;
      this.#build(window);
    }
    this.point(this.#time);
  }

  remove() {
    this.#graph?.destroy();
    this.node.remove();
  }

  look(window, isWhole) {
    this.#graph.updateOptions({ dateWindow: window, ...(isWhole ? { valueRange: this.#data.range ?? null } : {}) });
    this.#select();
  }

  /** The library compares with the size it has, and does nothing when that is right. */
  resize() {
    this.#graph?.resize();
  }

  paint() {
    this.#graph?.updateOptions(this.#colours());
  }

  point(time) {
    this.#time = time;
    this.#entries.forEach(({ value }, index) => setText(value, this.#textAt(this.#data.series[index].points, time)));
    setText(this.at, time === null ? '' : localTime(time));
    this.#select();
  }

  #select() {
    this.#graph.clearSelection();
    if (this.#time === null) return;
    const row = this.#graph.getRowForX(this.#time);
    if (row !== null) this.#graph.setSelection(row);
  }

  #textAt(points, time) {
    const point = time === null ? newest(points) : points.find((candidate) => candidate[0] === time);
    if (!point || !Number.isFinite(point[1])) return '–';
    const [, mean, least, most] = point;
    const band = this.#data.series.length === 1 && least < most ? ` (${this.format.value(least)} to ${this.format.value(most)})` : '';
    return this.format.value(mean) + band;
  }

  #build(window) {
    this.#graph?.destroy();
    this.#entries = this.#data.series.map((series, index) => {
      const value = element('span', { class: 'value' });
      const swatch = element('span', { class: 'swatch', 'aria-hidden': 'true' });
      swatch.style.background = `var(--c${index % colourCount})`;
      const node = element('li', { 'data-series': series.name, title: series.name }, swatch, element('span', { class: 'name' }, series.label), value);
      return { node, value };
    });
    this.legend.replaceChildren(...this.#entries.map((entry) => entry.node));
    this.canvas.setAttribute('role', 'img');
    this.canvas.setAttribute('aria-label', `${this.#data.title} over time: mean, with the range from least to greatest`);
    this.#graph = new globalThis.Dygraph(this.canvas, rowsOf(this.#data.series, window), this.#options(window));
  }

  #options(window) {
    const board = this.#board;
    // The library would take every touch for itself, and a phone's page of charts could not be scrolled.
    const { touchstart, touchmove, touchend, ...interactionModel } = globalThis.Dygraph.defaultInteractionModel;
    return {
      // Names of series stay out of the library: it only knows their numbers.
      labels: ['time', ...this.#data.series.map((_, index) => `s${index}`)],
      customBars: true, connectSeparatedPoints: true, legend: 'never', interactionModel,
      dateWindow: window, valueRange: this.#data.range ?? null, includeZero: Boolean(this.#data.includesZero),
      strokeWidth: 1.6, fillAlpha: 0.18, highlightCircleSize: 3, axisLabelFontSize: 11, rightGap: 10, xRangePad: 0,
      axes: {
        y: { axisLabelFormatter: (value) => this.format.axis(value), axisLabelWidth: 62, pixelsPerLabel: 34 },
        x: { drawGrid: false, pixelsPerLabel: 76 },
      },
      drawCallback: (graph, isFirst) => { if (!isFirst) board.drawn(graph.isZoomed('x') ? graph.xAxisRange() : null); },
      highlightCallback: (event, time) => board.point(time),
      unhighlightCallback: () => board.point(null),
      ...this.#colours(),
    };
  }

  #colours() {
    const style = getComputedStyle(document.documentElement);
    return {
      colors: this.#entries.map(({ node }) => getComputedStyle(node.firstChild).backgroundColor),
      gridLineColor: style.getPropertyValue('--line').trim(),
      axisLineColor: style.getPropertyValue('--line').trim(),
    };
  }
}

/** The library's rows: a time and [least, mean, greatest] a series; null where a series has no point at that time. */
function rowsOf(series, window) {
  const rows = new Map();
  series.forEach(({ points }, index) => {
    for (const [time, mean, least, most] of points) {
      if (!rows.has(time)) rows.set(time, [new Date(time), ...series.map(() => null)]);
      rows.get(time)[index + 1] = [least, mean, most];
    }
  });
  if (rows.size === 0) rows.set(window[0], [new Date(window[0]), ...series.map(() => null)]);
  return [...rows.values()].sort((a, b) => a[0] - b[0]);
}

/** What can be shown without the library: every series' newest value. */
export class ValueBoard {
  constructor() {
    const { node, body } = table('Newest values', ['Series', 'Newest value', 'At'].map((title) => heading(title)));
    node.classList.add('values');
    this.body = body;
    this.node = element('div', {},
      element('p', { class: 'notice', role: 'status', id: 'no-charts' }, 'Charts need the package libjs-dygraphs. Install it on the collector’s machine and reload this page.'),
      element('div', { class: 'sheet' }, node));
  }

  show(charts) {
    this.body.replaceChildren(...charts.flatMap((chart) => {
      const { value } = formatterOf(chart.metric);
      return chart.series.map((series) => {
        const point = newest(series.points);
        return element('tr', { role: 'row', 'data-chart': chart.key, 'data-series': series.name },
          cell('series', 'Series', series.name), cell('value', 'Newest value', point ? value(point[1]) : '–'), cell('at', 'At', point ? localTime(point[0]) : '–'));
      });
    }));
  }

  resetZoom() {}
}
