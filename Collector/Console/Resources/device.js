// The page of one device: what it is, how it has been, and its certificates.
import * as api from './api.js';
import { certificateTable } from './certificates.js';
import { ChartBoard, ValueBoard, loadLibrary } from './charts.js';
import { CompletenessStrip } from './completeness.js';
import { badge, element, setAttribute, setBadge, setText } from './dom.js';
import { ago, count, localTime, memorySize } from './format.js';
import { showConnection } from './live.js';
import { RangeChooser } from './range.js';
import { SeriesWindow, chartsOf } from './series.js';

const detailMilliseconds = 5_000;

export function showDevice(main, id) {
  document.title = `${id} · Farwatch`;
  new DevicePage(main, id).run();
}

class DevicePage {
  #id;
  #device = null;
  #seriesAt = 0;
  #load = 0;
  #timer = 0;
  #board = null;
  #facts = '';
  #isMissing = false;

  constructor(main, id) {
    this.#id = id;
    this.window = new SeriesWindow(id);
    this.status = badge('unknown');
    this.status.id = 'status';
    this.seen = element('time', { id: 'last-seen' });
    this.facts = element('dl', { class: 'facts', id: 'facts' });
    this.problem = element('p', { class: 'notice', role: 'status', hidden: true, id: 'problem' });
    this.range = new RangeChooser(() => this.#changeRange());
    this.reset = element('button', { type: 'button', class: 'quiet', hidden: true, id: 'reset-zoom' }, 'Reset zoom');
    this.reset.addEventListener('click', () => this.#board?.resetZoom());
    this.charts = element('section', { 'aria-label': 'Measurements', 'aria-busy': 'true' }, element('p', { class: 'muted' }, 'Loading measurements…'));
    this.completeness = new CompletenessStrip(id);
    this.certificates = certificateTable();
    this.content = element('div', {},
      this.facts,
      element('div', { class: 'toolbar' }, this.range.node, this.reset), this.problem, this.completeness.node, this.charts,
      element('h2', {}, 'Certificates'), this.certificates.node);
    main.append(
      element('nav', { 'aria-label': 'Breadcrumb' }, element('a', { href: '/' }, '← Fleet')),
      element('div', { class: 'title' }, element('h1', {}, id), this.status, this.seen),
      this.content);
    this.main = main;
  }

  async run() {
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.#refresh(); });
    setInterval(() => { if (this.#device) setText(this.seen, `seen ${ago(this.#device.last_seen, api.now())}`); }, 1_000);
    const [hasLibrary] = await Promise.all([loadLibrary(), this.#refreshDetail()]);
    this.#board = hasLibrary ? new ChartBoard((isZoomed) => { this.reset.hidden = !isZoomed; }) : new ValueBoard();
    this.#refresh();
  }

  #changeRange() {
    this.window.forget();
    this.#seriesAt = 0;
    this.#board?.resetZoom();
    this.#refresh();
  }

  /** Everything that is due, then again in a few seconds; nothing while the page is hidden. */
  async #refresh() {
    clearTimeout(this.#timer);
    if (document.hidden || !this.#board || this.#isMissing) return;
    const load = ++this.#load;
    try {
      await Promise.all([this.#refreshDetail(), this.#refreshSeries(), this.#refreshCompleteness()]);
    } finally {
      if (load === this.#load) this.#timer = setTimeout(() => this.#refresh(), detailMilliseconds);
    }
  }

  async #refreshDetail() {
    try {
      const device = await api.device(this.#id);
      this.#device = device;
      this.#showDetail(device);
      showConnection('live');
    } catch (error) {
      if (error.status === 404 && !this.#device) return this.#showMissing();
      showConnection('lost', error.message);
    }
  }

  async #refreshSeries() {
    const { from, to, isLive } = this.range.window(api.now());
    const wait = Math.min(60_000, Math.max(4_000, (to - from) / 1_000));
    if (this.#seriesAt > 0 && (!isLive || api.now() - this.#seriesAt < wait)) return;
    try {
      const loaded = await this.window.load(from, to);
      if (!loaded) return;
      this.#seriesAt = api.now();
      this.#showSeries(chartsOf(loaded.series, loaded.step), [from, to]);
    } catch (error) {
      if (!(error instanceof api.APIError)) throw error;
      if (error.status !== 0) this.#tell(error.message);
    }
  }

  /** The charts say by themselves when the collector is away; a range that it will not judge has no picture. */
  async #refreshCompleteness() {
    const { from, to, isLive } = this.range.window(api.now());
    try {
      await this.completeness.show(from, to, isLive);
    } catch (error) {
      if (!(error instanceof api.APIError)) throw error;
      if (error.status !== 0) this.completeness.hide();
    }
  }

  #tell(text) {
    this.problem.hidden = text === '';
    setText(this.problem, text);
  }

  #showSeries(charts, window) {
    this.#tell(charts.some((chart) => chart.series.some((series) => series.points.length > 0)) ? '' : 'No samples in this range.');
    if (this.charts.firstChild !== this.#board.node) this.charts.replaceChildren(this.#board.node);
    this.charts.removeAttribute('aria-busy');
    this.#board.show(charts, window);
  }

  #showDetail(device) {
    setBadge(this.status, device.status);
    setAttribute(this.main, 'data-device', device.id);
    setAttribute(this.main, 'data-status', device.status);
    setText(this.seen, `seen ${ago(device.last_seen, api.now())}`);
    setAttribute(this.seen, 'datetime', device.last_seen);
    setAttribute(this.seen, 'title', device.last_seen ? localTime(device.last_seen) : null);
    this.#showFacts(device);
    this.certificates.show(device.certificates ?? [], device.certificate_problems ?? []);
  }

  #showFacts(device) {
    const facts = factsOf(device);
    const text = JSON.stringify(facts);
    if (text === this.#facts) return;
    this.#facts = text;
    this.facts.replaceChildren(...facts.map(([key, title, value]) =>
      element('div', { 'data-fact': key }, element('dt', {}, title), element('dd', {}, value))));
  }

  #showMissing() {
    showConnection('live');
    this.#isMissing = true;
    this.content.replaceChildren(element('p', { class: 'notice', role: 'alert' }, 'This collector knows no device of this name.'));
    this.status.hidden = true;
  }
}

const factTitles = {
  hostname: 'Host name', os: 'System', kernel: 'Kernel', architecture: 'Architecture', cpu_count: 'Processors',
  memory_bytes: 'Memory', agent_version: 'Agent',
};
const factsMax = 40;

/** [key, title, text] of each fact, the well-known first. */
function factsOf(device) {
  const facts = device.facts ?? {};
  const known = Object.keys(factTitles).filter((key) => key in facts);
  const other = Object.keys(facts).filter((key) => !Object.hasOwn(factTitles, key)).sort();
  const own = [...known, ...other].slice(0, factsMax).map((key) => {
    const value = facts[key];
    const text = key === 'memory_bytes' && typeof value === 'number' ? memorySize(value) : typeof value === 'object' ? JSON.stringify(value) : String(value);
    return [key, Object.hasOwn(factTitles, key) ? factTitles[key] : key.replaceAll('_', ' '), text];
  });
  return [...own, ['samples_stored', 'Samples stored', count(device.samples_stored)], ['first_seen', 'First seen', localTime(device.first_seen)]];
}
