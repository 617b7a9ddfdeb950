// Choosing the span of time that the charts show. The choice is in the address, so that it can be kept and sent to others.
import { element } from './dom.js';

const presets = [['15m', '15 min', 900], ['1h', '1 h', 3_600], ['6h', '6 h', 21_600], ['24h', '24 h', 86_400], ['7d', '7 d', 604_800]];
const initial = presets[1];

export class RangeChooser {
  #preset = initial;
  /** `{from, to}` in milliseconds since 1970; `to` null is now. */
  #custom = null;
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
    this.buttons = presets.map((preset) => this.#button(preset));
    this.from = element('input', { type: 'datetime-local', step: '1', required: true, name: 'from' });
    this.to = element('input', { type: 'datetime-local', step: '1', name: 'to' });
    this.form = element('form', { class: 'custom' },
      element('label', {}, 'From ', this.from), element('label', {}, 'To ', this.to), element('button', { type: 'submit' }, 'Apply'),
      element('span', { class: 'muted' }, 'Leave “To” empty for now.'));
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.#submit(); });
    for (const input of [this.from, this.to]) input.addEventListener('input', () => this.to.setCustomValidity(''));
    this.summary = element('summary', {}, 'Custom');
    this.details = element('details', { class: 'custom-range' }, this.summary, this.form);
    this.node = element('div', { class: 'range', role: 'group', 'aria-label': 'Time range' }, ...this.buttons, this.details);
    this.#read(new URLSearchParams(location.search));
    this.#mark();
  }

  /** The window in milliseconds since 1970; it moves with `now` unless it ends in the past. */
  window(now) {
    const custom = this.#custom;
    const to = custom?.to ?? now;
    const from = custom ? Math.min(custom.from, to - 1_000) : to - this.#preset[2] * 1_000;
    return { from, to, isLive: custom === null || custom.to === null };
  }

  #button(preset) {
    const node = element('button', { type: 'button', 'data-range': preset[0] }, preset[1]);
    node.addEventListener('click', () => {
      this.details.open = false;
      this.#choose(preset, null);
    });
    return node;
  }

  #submit() {
    const [from, to] = [Date.parse(this.from.value), this.to.value ? Date.parse(this.to.value) : null];
    const isBackwards = from >= (to ?? Date.now());
    this.to.setCustomValidity(isBackwards ? 'The end must be later than the beginning.' : '');
    if (isBackwards) return this.to.reportValidity();
    this.details.open = false;
    this.#choose(this.#preset, { from, to });
  }

  #choose(preset, custom) {
    this.#preset = preset;
    this.#custom = custom;
    const query = new URLSearchParams(custom ? { from: new Date(custom.from).toISOString() } : { range: preset[0] });
    if (custom?.to) query.set('to', new Date(custom.to).toISOString());
    history.replaceState(null, '', `${location.pathname}?${query}`);
    this.#mark();
    this.#onChange();
  }

  #read(query) {
    this.#preset = presets.find(([key]) => key === query.get('range')) ?? initial;
    const [from, to] = ['from', 'to'].map((name) => Date.parse(query.get(name) ?? ''));
    if (Number.isNaN(from)) return;
    this.#custom = { from, to: Number.isNaN(to) ? null : to };
    this.from.value = inputText(from);
    if (this.#custom.to) this.to.value = inputText(to);
  }

  #mark() {
    this.buttons.forEach((button, index) => button.setAttribute('aria-pressed', String(!this.#custom && presets[index] === this.#preset)));
    this.details.dataset.chosen = String(Boolean(this.#custom));
  }
}

/** As a datetime-local field wants it: local time, no zone. */
function inputText(time) {
  return new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
