// A device's series over a window of time: how fine, what to ask again, and what belongs into one chart.
import * as api from './api.js';

/** Steps in seconds that fall on round times. */
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];
/** About as many as a chart has pixels to show them with. */
const stepsInWindow = innerWidth < 720 ? 360 : 900;
const seriesInChartMax = 24;
const chartsMax = 60;
/** A device may send its newest samples a minute late, and after an outage much later: milliseconds asked again at each refresh … */
const overlap = 180_000;
/** … and the milliseconds after which the whole window is. */
const wholeAfter = 60_000;

const stepFor = (span) => steps.find((step) => span / 1_000 / step <= stepsInWindow) ?? Math.ceil(span / 1_000 / stepsInWindow / 86_400) * 86_400;

/** The points of one window, fetched whole at first and by its end afterwards. */
export class SeriesWindow {
  #device;
  #step = 0;
  #series = new Map();
  #wholeAt = 0;
  #end = 0;
  #turn = 0;

  constructor(device) { this.#device = device; }

  /** All series with their points between `from` and `to` (milliseconds since 1970); null when a later call has overtaken this one. */
  async load(from, to) {
    const step = stepFor(to - from);
    const align = (time) => Math.floor(time / step / 1_000) * step * 1_000;
    const begin = align(from);
    const isWhole = step !== this.#step || api.now() - this.#wholeAt > wholeAfter || begin > this.#end || to < this.#end;
    const askFrom = isWhole ? begin : Math.max(begin, align(this.#end - Math.max(overlap, 3_000 * step)));
    const turn = ++this.#turn;
    const answer = await api.series(this.#device, askFrom, to, step);
    if (turn !== this.#turn) return null;
    if (isWhole) {
      this.#series.clear();
      this.#wholeAt = api.now();
    }
    this.#step = step;
    this.#end = to;
    this.#merge(answer.series ?? [], begin, askFrom);
    return { step, series: [...this.#series.values()] };
  }

  forget() { this.#step = 0; }

  #merge(fresh, begin, askFrom) {
    for (const one of this.#series.values()) one.points = one.points.filter(([time]) => time >= begin && time < askFrom);
    for (const one of fresh) {
      const points = (one.points ?? []).filter(([time]) => time >= askFrom);
      const known = this.#series.get(one.series);
      if (known) known.points.push(...points);
      else this.#series.set(one.series, { name: one.series, metric: one.metric, labels: one.labels ?? {}, points });
    }
  }
}

/** From nothing to all, with a little air for the line at 100%. */
const wholeRange = [0, 1.04];

const groups = [
  { key: 'cpu_usage', title: 'CPU usage', pattern: /^cpu_usage$/, includesZero: true },
  { key: 'memory_usage', title: 'Memory usage', pattern: /^memory_usage$/, range: wholeRange },
  { key: 'network_latency', title: 'Network latency', pattern: /^network_latency$/, includesZero: true },
  { key: 'load', title: 'Load average', pattern: /^load(_|$|\d)/, includesZero: true },
  { key: 'disk_usage', title: 'Disk usage', pattern: /^disk_usage$/, range: wholeRange },
  { key: 'network_bytes', title: 'Network throughput', pattern: /^network_.*bytes_total$/, includesZero: true },
  { key: 'temperature', title: 'Temperature', pattern: /^temperature/ },
  { key: 'disk_bytes', title: 'Disk throughput', pattern: /^disk_.*bytes_total$/, includesZero: true },
];

function titled(metric) {
  const words = metric.replace(/_total$/, '_per_second').replace(/_(seconds|bytes|celsius|ratio)$/, '').replaceAll('_', ' ').trim() || metric;
  return words[0].toUpperCase() + words.slice(1);
}

/** The charts for these series, in reading order; every series has a `label` that is short and unique within its chart. */
export function chartsOf(series, step) {
  const charts = new Map(groups.map((group) => [group.key, { ...group, series: [] }]));
  for (const one of [...series].sort((a, b) => (a.metric === b.metric ? compare(a.name, b.name) : compare(a.metric, b.metric)))) {
    const key = groups.find((group) => group.pattern.test(one.metric))?.key ?? one.metric;
    if (!charts.has(key)) charts.set(key, { key, title: titled(one.metric), includesZero: one.metric.endsWith('_total'), series: [] });
    charts.get(key).series.push(one);
  }
  return [...charts.values()].filter((chart) => chart.series.length > 0).slice(0, chartsMax).map((chart) => finished(chart, step));
}

const compare = (a, b) => a.localeCompare(b, 'en', { numeric: true });

function finished(chart, step) {
  const metrics = [...new Set(chart.series.map((one) => one.metric))];
  const shown = chart.series.slice(0, seriesInChartMax);
  return {
    ...chart, metric: metrics[0], leftOut: chart.series.length - shown.length,
    series: shown.map((one) => ({
      name: one.name,
      label: labelOf(one, metrics),
      points: withGaps(one.metric.endsWith('_total') ? rates(one.points) : one.points, step),
    })),
  };
}

/** What tells a series from its neighbours: the words of its metric that they do not share, and its labels' values. */
function labelOf({ metric, labels }, metrics) {
  const parts = metrics.map((name) => name.split('_'));
  const own = metrics.length === 1 ? [] : metric.split('_').filter((word) => !parts.every((words) => words.includes(word)));
  return [...own, ...Object.values(labels).map(String)].join(' ') || 'mean';
}

/** A counter's growth a second from step to step. Where it fell it had begun anew, and nothing is known. */
function rates(points) {
  const found = [];
  for (let index = 1; index < points.length; index += 1) {
    const [before, , , last] = points[index - 1];
    const [time, , , value] = points[index];
    const rate = value < last ? NaN : (value - last) * 1_000 / (time - before);
    found.push([time, rate, rate, rate]);
  }
  return found;
}

/** Breaks the line where samples are missing: a point without a value after each pause of three times the usual one. */
function withGaps(points, step) {
  const pauses = points.slice(1).map(([time], index) => time - points[index][0]).sort((a, b) => a - b);
  const usual = Math.max(step * 1_000, pauses[pauses.length >> 1] ?? 0);
  const result = [];
  points.forEach((point, index) => {
    const previous = points[index - 1];
    if (previous && point[0] - previous[0] > 3 * usual) result.push([previous[0] + usual, NaN, NaN, NaN]);
    result.push(point);
  });
  return result;
}

/** The newest point that has a value. */
export function newest(points) {
  for (let index = points.length - 1; index >= 0; index -= 1) if (Number.isFinite(points[index][1])) return points[index];
  return null;
}
