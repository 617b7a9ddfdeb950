// The picture of what a range of time holds: stored, thinned, or missing and why.
import * as api from './api.js';
import { element, setText } from './dom.js';
import { localTime, seconds } from './format.js';

const refreshMilliseconds = 30_000;
/** In the order of the legend; the names are the API's. */
const titles = {
  stored: 'Stored', thinned: 'Thinned', evicted: 'Evicted', on_device: 'On the device', not_sampled: 'Not sampled', unknown: 'Unknown',
};
const gapsShown = 5;

export class CompletenessStrip {
  #device;
  #shownAt = 0;
  #window = '';
  #turn = 0;

  constructor(device) {
    this.#device = device;
    this.strip = element('div', { class: 'strip', role: 'img' });
    this.legend = element('ul', { class: 'legend' });
    this.gaps = element('ul', { class: 'muted', id: 'gaps' });
    this.node = element('section', { 'aria-label': 'Completeness', id: 'completeness', hidden: true }, this.strip, this.legend, this.gaps);
  }

  /** Shows the range in milliseconds since 1970; asks again only when it is another or some time has passed. */
  async show(from, to, isLive) {
    const window = isLive ? `last ${to - from}` : `${from} ${to}`;
    if (window === this.#window && (!isLive || api.now() - this.#shownAt < refreshMilliseconds)) return;
    const turn = ++this.#turn;
    const answer = await api.completeness(this.#device, from, to);
    if (turn !== this.#turn) return;
    this.#window = window;
    this.#shownAt = api.now();
    this.#draw(answer);
  }

  #draw({ strip, seconds: times, gaps, complete }) {
    const told = Object.keys(titles).filter((state) => times[state] > 0);
    const share = (state) => `${titles[state]} ${percent(times[state] / times.expected)}`;
    this.strip.setAttribute('aria-label', told.map(share).join(', '));
    this.strip.replaceChildren(...strip.map(({ state, bins }) => {
      const part = element('span', { 'data-state': state, title: titles[state] ?? state });
      part.style.flexGrow = bins;
      return part;
    }));
    this.legend.replaceChildren(...told.map((state) =>
      element('li', { 'data-state': state }, element('span', { class: 'swatch' }), element('span', { class: 'name' }, titles[state]),
        element('span', { class: 'value' }, `${percent(times[state] / times.expected)} · ${seconds(times[state])}`))));
    this.gaps.replaceChildren(...gaps.slice(0, gapsShown).map(({ state, from, to, seconds: length, cause }) =>
      element('li', {}, `${titles[state]}${cause ? ` (${cause.replaceAll('_', ' ')})` : ''}: ${localTime(from)} – ${localTime(to)}, ${seconds(length)}`)));
    this.node.dataset.complete = String(complete);
    this.node.hidden = false;
  }

  /** Nothing is known of this range. */
  hide() {
    this.node.hidden = true;
    this.#window = '';
  }
}

/** Never rounded to nothing, nor to all. */
function percent(share) {
  if (share > 0 && share < 0.001) return '<0.1%';
  if (share < 1 && share > 0.999) return '>99.9%';
  return `${(share * 100).toFixed(1)}%`;
}
