// The fleet page: every device in a row, kept current without reloading.
import { now, devicePath } from './api.js';
import { badge, cell, element, heading, setAttribute, setBadge, setText, table } from './dom.js';
import { ago, daysLeft, localTime, ratio, seconds } from './format.js';
import { LiveDevices } from './live.js';

const severities = ['critical', 'problem', 'unknown', 'ok'];
const needsAttention = (device) => Boolean(device.worst_certificate) && device.worst_certificate.status !== 'ok';
const seenAt = (device) => Date.parse(device.last_seen ?? '');

/** What a column sorts by. Devices without a value come last in either direction. */
const columns = [
  { key: 'device', title: 'Device', value: (device) => device.id },
  { key: 'last_seen', title: 'Last seen', value: seenAt, isDescending: true },
  { key: 'cpu_usage', title: 'CPU', value: (device) => device.latest?.cpu_usage, isDescending: true },
  { key: 'memory_usage', title: 'Memory', value: (device) => device.latest?.memory_usage, isDescending: true },
  { key: 'network_latency', title: 'Latency', value: (device) => device.latest?.network_latency, isDescending: true },
  { key: 'worst_certificate', title: 'Worst certificate', value: urgency },
];

/** Worst status first, then soonest expiry. */
function urgency(device) {
  const certificate = device.worst_certificate;
  if (!certificate) return null;
  const severity = severities.indexOf(certificate.status);
  return (severity < 0 ? severities.length : severity) * 1e6 + Math.min(1e5, Math.max(-1e5, certificate.days_left));
}

const views = [
  { key: 'devices', title: 'Devices', includes: () => true },
  { key: 'online', title: 'Online', includes: (device) => device.status === 'online' },
  { key: 'offline', title: 'Not online', includes: (device) => device.status !== 'online' },
  { key: 'attention', title: 'With certificates needing attention', includes: needsAttention },
];

export function showFleet(main) {
  document.title = 'Fleet · Farwatch';
  new Fleet(main).start();
}

class Fleet {
  #rows = new Map();
  #hasLoaded = false;
  #view = views[0];
  #words = [];
  #sort = { column: columns[0], isDescending: false };
  #isRenderPending = false;

  constructor(main) {
    this.tiles = views.map((view) => this.#tile(view));
    this.summary = element('p', { class: 'unseen', role: 'status', 'aria-live': 'polite', id: 'summary' });
    this.filter = element('input', { type: 'search', id: 'filter', placeholder: 'Filter by name, status or certificate', autocomplete: 'off', spellcheck: 'false', 'aria-label': 'Filter devices' });
    this.filter.addEventListener('input', () => {
      this.#words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      this.#render();
    });
    const { node, body } = table('Devices', columns.map((column) => this.#heading(column)));
    node.classList.add('fleet');
    this.table = node;
    this.body = body;
    this.shown = element('p', { class: 'muted', id: 'shown' });
    this.loading = element('p', { class: 'muted' }, 'Loading the fleet…');
    this.empty = emptyFleet();
    this.content = element('div', { hidden: true },
      element('div', { class: 'tiles', role: 'group', 'aria-label': 'Fleet summary' }, ...this.tiles.map((tile) => tile.node)),
      element('div', { class: 'toolbar' }, this.filter, this.shown),
      element('div', { class: 'sheet' }, node));
    main.append(element('h1', { class: 'unseen' }, 'Fleet'), this.summary, this.loading, this.empty, this.content);
  }

  start() {
    new LiveDevices((devices, isComplete) => this.#take(devices, isComplete)).start();
    setInterval(() => this.#tick(), 1_000);
  }

  #tile(view) {
    const number = element('strong', { 'data-summary': view.key }, '0');
    const node = element('button', { type: 'button', class: 'tile', 'data-view': view.key, 'aria-pressed': String(view === this.#view) },
      number, element('span', {}, view.title));
    node.addEventListener('click', () => {
      this.#view = this.#view === view ? views[0] : view;
      this.#render();
    });
    return { view, node, number };
  }

  #heading(column) {
    const button = element('button', { type: 'button', class: 'sort' }, column.title);
    const node = heading(button);
    node.dataset.column = column.key;
    button.addEventListener('click', () => {
      const isSame = this.#sort.column === column;
      this.#sort = { column, isDescending: isSame ? !this.#sort.isDescending : Boolean(column.isDescending) };
      this.#render();
    });
    column.node = node;
    return node;
  }

  #take(devices, isComplete) {
    if (isComplete) {
      const ids = new Set(devices.map((device) => device.id));
      for (const [id, row] of this.#rows) {
        if (ids.has(id)) continue;
        row.node.remove();
        this.#rows.delete(id);
      }
    }
    for (const device of devices) {
      const row = this.#rows.get(device.id);
      if (row) row.update(device);
      else this.#rows.set(device.id, new Row(device));
    }
    this.#hasLoaded = true;
    if (this.#isRenderPending) return;
    this.#isRenderPending = true;
    requestAnimationFrame(() => this.#render());
  }

  #render() {
    this.#isRenderPending = false;
    const isEmpty = this.#rows.size === 0;
    this.loading.hidden = this.#hasLoaded;
    this.empty.hidden = !(this.#hasLoaded && isEmpty);
    this.content.hidden = isEmpty;
    this.#renderSummary();
    this.#renderHeadings();
    this.#renderRows();
  }

  #renderSummary() {
    const devices = [...this.#rows.values()].map((row) => row.device);
    for (const { view, node, number } of this.tiles) {
      const count = devices.filter(view.includes).length;
      setText(number, String(count));
      setAttribute(node, 'aria-pressed', String(view === this.#view));
      setAttribute(node, 'data-raised', String(view.key === 'attention' && count > 0));
    }
    if (!this.#hasLoaded) return;
    const count = (key) => devices.filter(views.find((view) => view.key === key).includes).length;
    setText(this.summary, `${devices.length} devices, ${count('online')} online, ${count('attention')} with certificates needing attention`);
  }

  #renderHeadings() {
    for (const column of columns) {
      const direction = this.#sort.isDescending ? 'descending' : 'ascending';
      setAttribute(column.node, 'aria-sort', column === this.#sort.column ? direction : null);
    }
  }

  #renderRows() {
    const rows = [...this.#rows.values()].sort((a, b) => this.#order(a.device, b.device));
    let shown = 0;
    const focused = document.activeElement;
    rows.forEach((row, index) => {
      row.node.hidden = !(this.#view.includes(row.device) && this.#words.every((word) => row.searchText.includes(word)));
      if (!row.node.hidden) shown += 1;
      if (this.body.children[index] !== row.node) this.body.insertBefore(row.node, this.body.children[index] ?? null);
    });
    // Moving a row takes the keyboard's focus from it.
    if (focused !== document.activeElement && this.body.contains(focused)) focused.focus({ preventScroll: true });
    setText(this.shown, shown === rows.length ? '' : `${shown} of ${rows.length} shown`);
    this.#tick();
  }

  #order(a, b) {
    const { column, isDescending } = this.#sort;
    const [x, y] = [column.value(a), column.value(b)];
    const [hasX, hasY] = [x, y].map((value) => value !== null && value !== undefined && !Number.isNaN(value));
    if (hasX !== hasY) return hasX ? -1 : 1;
    if (hasX && x !== y) return (x < y ? -1 : 1) * (isDescending ? -1 : 1);
    return a.id < b.id ? -1 : 1;
  }

  #tick() {
    const time = now();
    for (const row of this.#rows.values()) if (!row.node.hidden) row.tick(time);
  }
}

class Row {
  #signature = '';

  constructor(device) {
    this.status = badge(device.status);
    this.seen = element('time');
    this.certificateStatus = badge('ok');
    this.certificateDays = element('span', { class: 'days' });
    this.certificateSubject = element('span', { class: 'minor' });
    this.meters = { cpu_usage: meter(), memory_usage: meter() };
    this.latency = cell('network_latency', 'Latency');
    this.certificate = cell('worst_certificate', 'Worst certificate');
    this.node = element('tr', { role: 'row', 'data-device': device.id },
      cell('device', 'Device', element('a', { href: devicePath(device.id) }, device.id)),
      cell('last_seen', 'Last seen', this.status, this.seen),
      cell('cpu_usage', 'CPU', this.meters.cpu_usage.node),
      cell('memory_usage', 'Memory', this.meters.memory_usage.node),
      this.latency, this.certificate);
    this.update(device);
  }

  update(device) {
    this.device = device;
    const { latest, worst_certificate: certificate } = device;
    setAttribute(this.node, 'data-status', device.status);
    setBadge(this.status, device.status);
    setAttribute(this.seen, 'datetime', device.last_seen);
    setAttribute(this.seen, 'title', device.last_seen ? localTime(device.last_seen) : null);
    for (const [name, meter] of Object.entries(this.meters)) meter.set(latest?.[name]);
    setText(this.latency, seconds(latest?.network_latency));
    this.#showCertificate(certificate);
    this.searchText = [device.id, device.status, certificate?.subject, certificate?.path, certificate?.status, certificate?.validity?.replaceAll('_', ' ')].join('\n').toLowerCase();
    this.#flash(JSON.stringify([device.status, latest, certificate]));
  }

  tick(time) {
    setText(this.seen, ago(this.device.last_seen, time));
  }

  #showCertificate(certificate) {
    setAttribute(this.certificate, 'data-certificate-status', certificate?.status);
    if (!certificate) return this.certificate.replaceChildren('–');
    if (!this.certificateStatus.isConnected || this.certificate.firstChild !== this.certificateStatus) {
      this.certificate.replaceChildren(this.certificateStatus, this.certificateDays, this.certificateSubject);
    }
    setBadge(this.certificateStatus, certificate.status);
    setText(this.certificateDays, [certificate.validity === 'ok' ? '' : certificate.validity.replaceAll('_', ' '), daysLeft(certificate.days_left)].filter(Boolean).join(', '));
    setText(this.certificateSubject, certificate.subject);
    setAttribute(this.certificateSubject, 'title', `${certificate.subject}\n${certificate.path}`);
  }

  #flash(signature) {
    const isChange = this.#signature !== '' && this.#signature !== signature;
    this.#signature = signature;
    if (!isChange || this.node.hidden || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    this.node.animate([{ backgroundColor: 'var(--flash)' }, { backgroundColor: 'transparent' }], { duration: 900, easing: 'ease-out' });
  }
}

/** A ratio in figures over a thin bar. */
function meter() {
  const text = element('span');
  const bar = element('span', { class: 'bar', 'aria-hidden': 'true' });
  const node = element('span', { class: 'meter' }, text, bar);
  const set = (value) => {
    setText(text, ratio(value));
    setAttribute(node, 'data-value', value);
    bar.style.setProperty('--value', String(Math.min(1, Math.max(0, value ?? 0))));
    setAttribute(bar, 'data-high', String(value >= 0.9));
  };
  return { node, set };
}

function emptyFleet() {
  const code = `device:\n  id: edge-1\nbroker:\n  host: ${location.hostname}`;
  return element('section', { class: 'sheet empty', hidden: true, id: 'empty' },
    element('h2', {}, 'No device has reported yet'),
    element('p', {}, 'A device appears here by itself as soon as its agent reaches the MQTT broker that this collector listens to.'),
    element('ol', {},
      element('li', {}, 'Install the package ', element('code', {}, 'farwatch-agent'), ' on the device.'),
      element('li', {}, 'Name the device and the broker in ', element('code', {}, '/etc/farwatch/agent.yaml'), ':',
        element('pre', {}, element('code', {}, code)),
        element('span', { class: 'muted' }, 'The host is this page’s. If your broker runs elsewhere, put its name there.')),
      element('li', {}, 'Check the file, then start the agent:',
        element('pre', {}, element('code', {}, 'farwatch-agent check-config\nsystemctl restart farwatch-agent')))),
    element('p', { class: 'muted' }, 'Still nothing? ', element('a', { href: '/readyz' }, '/readyz'), ' says whether the collector itself has its broker and its stores.'));
}
