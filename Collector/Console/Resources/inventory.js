// The certificates of the fleet: what ends when, and what is wrong with which.
import * as api from './api.js';
import { badge, cell, element, heading, setText, table } from './dom.js';
import { daysLeft, localDate, localTime } from './format.js';
import { sharedKeys } from './keys.js';
import { showConnection } from './live.js';
import { timeline, timelineDays } from './timeline.js';

const pageSize = 200;
const refreshMilliseconds = 60_000;
const statuses = ['critical', 'problem', 'unknown', 'ok'];
const validities = ['expired', 'not_yet_valid', 'untrusted', 'expiring', 'ok'];
const titles = ['Status', 'Validity', 'Subject', 'Device', 'Path', 'Expires', 'Days left', 'Score', 'Findings'];

export function showInventory(main) {
  document.title = 'Certificates · Farwatch';
  new Inventory(main).run();
}

class Inventory {
  #next = null;
  #turn = 0;
  #week = null;

  constructor(main) {
    this.keys = sharedKeys();
    this.picture = timeline((week) => { this.#week = week; this.#load(); });
    this.status = choice('status-filter', 'Status', statuses);
    this.validity = choice('validity-filter', 'Validity', validities);
    this.finding = element('input', { type: 'search', id: 'finding-filter', placeholder: 'Finding, such as weak_key', autocomplete: 'off', spellcheck: 'false', 'aria-label': 'Finding' });
    this.device = element('input', { type: 'search', id: 'device-filter', placeholder: 'Device', autocomplete: 'off', spellcheck: 'false', 'aria-label': 'Device' });
    this.served = element('input', { type: 'checkbox', id: 'served-filter' });
    for (const control of [this.status, this.validity, this.finding, this.device, this.served]) control.addEventListener('change', () => this.#load());
    const { node, body } = table('Certificates', titles.map((title) => heading(title)));
    node.classList.add('certificates');
    this.body = body;
    this.sheet = element('div', { class: 'sheet', hidden: true }, node);
    this.words = element('p', { class: 'muted', role: 'status', id: 'inventory-words' }, 'Loading certificates…');
    this.more = element('button', { type: 'button', class: 'quiet', hidden: true, id: 'more' }, 'Show more');
    this.more.addEventListener('click', () => this.#load(true));
    main.append(element('h1', {}, 'Certificates'), this.picture.node, this.keys.node,
      element('div', { class: 'toolbar' }, this.status, this.validity, this.finding, this.device, element('label', {}, this.served, ' Served, not on disk')),
      this.words, this.sheet, this.more);
  }

  async run() {
    await Promise.all([this.#draw(), this.#load()]);
    setInterval(() => { if (!document.hidden) this.#draw(); }, refreshMilliseconds);
  }

  async #draw() {
    try {
      const [{ days }, keys] = await Promise.all([api.calendar(timelineDays), api.sharedKeys()]);
      this.picture.show(days, api.now());
      this.keys.show(keys);
      showConnection('live');
    } catch (error) {
      showConnection('lost', error.message);
    }
  }

  async #load(isMore = false) {
    const turn = ++this.#turn;
    try {
      const filter = this.#filter();
      const page = this.#week
        ? { certificates: this.#week.certificates.filter((one) => passes(one, filter)), next: null }
        : await api.certificates({ ...filter, limit: pageSize, after: isMore ? this.#next : '' });
      if (turn !== this.#turn) return;
      this.#next = page.next;
      const rows = page.certificates.map(row);
      if (isMore) this.body.append(...rows); else this.body.replaceChildren(...rows);
      showConnection('live');
    } catch (error) {
      if (!(error instanceof api.APIError)) throw error;
      if (error.status === 0) return showConnection('lost', error.message);
      this.body.replaceChildren();
      this.#next = null;
      this.#show(error.message);
      return;
    }
    const count = this.body.childElementCount;
    this.#show(count === 0 ? 'There is no such certificate.' : `${count}${this.#next ? ' and more' : ''}, soonest expiry first.`);
  }

  #filter() {
    return {
      status: this.status.value, validity: this.validity.value, finding: this.finding.value.trim(), device: this.device.value.trim(),
      served_not_on_disk: this.served.checked ? 'true' : '',
    };
  }

  #show(words) {
    setText(this.words, words);
    this.sheet.hidden = this.body.childElementCount === 0;
    this.more.hidden = !this.#next;
  }
}

function choice(id, title, names) {
  return element('select', { id, 'aria-label': title },
    element('option', { value: '' }, `Any ${title.toLowerCase()}`), ...names.map((name) => element('option', { value: name }, name.replaceAll('_', ' '))));
}

/** What the collector does with a filter, for a week's certificates: some end with an issuer, so that no question by their own end finds them. */
function passes(certificate, filter) {
  return (!filter.status || certificate.status === filter.status) && (!filter.validity || certificate.validity === filter.validity)
    && (!filter.device || certificate.device === filter.device) && (!filter.finding || certificate.findings.some(({ code }) => code === filter.finding))
    && (!filter.served_not_on_disk || certificate.served_not_on_disk);
}

/** Certificates where they lie, as rows; also those of one certificate's own page. */
export function row(certificate) {
  const findings = certificate.findings.filter(({ severity }) => severity !== 'note');
  return element('tr', { role: 'row', 'data-certificate': certificate.id, 'data-status': certificate.status, 'data-validity': certificate.validity },
    cell('status', 'Status', badge(certificate.status)), cell('validity', 'Validity', certificate.validity.replaceAll('_', ' ')),
    cell('subject', 'Subject', element('a', { href: api.certificatePath(certificate.id) }, certificate.subject || certificate.id.slice(0, 16))),
    cell('device', 'Device', element('a', { href: api.devicePath(certificate.device) }, certificate.device)),
    cell('path', 'Path', certificate.path),
    cell('not_after', 'Expires', element('time', { datetime: certificate.not_after, title: localTime(certificate.not_after) }, localDate(certificate.not_after))),
    cell('days_left', 'Days left', daysLeft(certificate.days_left)),
    cell('score', 'Score', certificate.score === null ? '–' : String(certificate.score)),
    cell('findings', 'Findings', ...findings.map(({ code, severity }) => {
      const node = badge(severity);
      node.textContent = code.replaceAll('_', ' ');
      return node;
    })));
}

export const rowTitles = titles;
