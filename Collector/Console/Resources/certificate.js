// The page of one certificate: what it is, its chain, where it is, what is wrong and what to do.
import * as api from './api.js';
import { badge, cell, element, heading, table } from './dom.js';
import { daysLeft, localDate, localTime } from './format.js';
import { row, rowTitles } from './inventory.js';
import { showConnection } from './live.js';

const severities = ['critical', 'problem', 'note'];
const statuses = ['critical', 'problem', 'unknown', 'ok'];

export async function showCertificate(main, id) {
  document.title = 'Certificate · Farwatch';
  const content = element('div', {}, element('p', { class: 'muted' }, 'Loading…'));
  main.append(element('nav', { 'aria-label': 'Breadcrumb' }, element('a', { href: '/certificates' }, '← Certificates')), content);
  try {
    const [certificate, radius] = await Promise.all([api.certificate(id), api.blastRadius(id)]);
    showConnection('live');
    document.title = `${certificate.subject} · Farwatch`;
    content.replaceChildren(...parts(certificate, radius));
    main.dataset.certificate = certificate.id;
  } catch (error) {
    if (!(error instanceof api.APIError)) throw error;
    showConnection(error.status === 0 ? 'lost' : 'live', error.message);
    content.replaceChildren(element('p', { class: 'notice', role: 'alert' }, error.message));
  }
}

function parts(certificate, radius) {
  return [
    element('div', { class: 'title' }, element('h1', {}, certificate.subject || certificate.id), ...worst(certificate.places), element('span', { class: 'muted' }, daysLeft(certificate.days_left))),
    facts(certificate), ...findings(certificate.places), ...chain(certificate), ...stopping(certificate, radius),
    ...served(certificate.places),
    ...sheet('Where it is', 'places', rowTitles, certificate.places.map(row), certificate.places_count > certificate.places.length ? `${certificate.places_count} places in all` : ''),
    ...past('Where it was', 'history', certificate.history, (one) => one.replaced_by, 'Replaced by'),
    ...past('What it replaced', 'replaced', certificate.replaced, (one) => one.id, 'Certificate'),
  ];
}

/** The worst that it is anywhere. */
function worst(places) {
  const status = statuses.find((name) => places.some((place) => place.status === name));
  if (!status) return [];
  const node = badge(status);
  node.id = 'status';
  return [node];
}

function facts(certificate) {
  const shown = [
    ['Issuer', certificate.issuer], ['Names', certificate.names.join(', ')], ['Serial', certificate.serial],
    ['Valid from', localTime(certificate.not_before)], ['Ends', localTime(certificate.not_after)],
    ['Key', [certificate.key_algorithm, certificate.key_bits].filter(Boolean).join(' ')], ['Signature', certificate.signature_algorithm],
    ['First seen', localTime(certificate.first_seen)], ['Last seen', localTime(certificate.last_seen)], ['SHA-256', certificate.id],
  ].filter(([, value]) => value);
  return element('dl', { class: 'facts', id: 'facts' }, ...shown.map(([title, value]) => element('div', {}, element('dt', {}, title), element('dd', {}, value))));
}

/** Each code once: what is wrong is mostly the same wherever it lies. */
function findings(places) {
  const known = new Map();
  for (const finding of places.flatMap((place) => place.findings)) if (!known.has(finding.code)) known.set(finding.code, finding);
  if (known.size === 0) return [];
  const sorted = [...known.values()].sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  return [element('h2', {}, 'Findings'), element('ul', { class: 'findings', id: 'findings' }, ...sorted.map(({ code, severity, detail, why, fix }) =>
    element('li', { 'data-finding': code }, badge(severity), ' ', element('strong', {}, code.replaceAll('_', ' ')), detail ? ` (${detail})` : null,
      why ? element('p', {}, why) : null, fix ? element('p', { class: 'fix' }, fix) : null)))];
}

function chain({ chain: issuers }) {
  if (issuers.length === 0) return [];
  return [element('h2', {}, 'Chain'), element('ol', { class: 'chain', id: 'chain' }, ...issuers.map(({ id, subject, not_after: end, days_left: days }) =>
    element('li', { 'data-issuer': id }, element('a', { href: api.certificatePath(id) }, subject || id), end ? ` ends ${localDate(end)}, ${daysLeft(days)}` : ' (no device has its certificate)')))];
}

/** How endpoints serve it. */
function served(places) {
  const rows = places.filter(({ source }) => source === 'endpoint').map((place) => element('tr', { role: 'row', 'data-endpoint': place.path },
    cell('endpoint', 'Endpoint', place.path), cell('device', 'Seen from', element('a', { href: api.devicePath(place.device) }, place.device)),
    cell('protocol', 'Protocol', place.protocol ?? '–'), cell('cipher', 'Cipher', place.cipher ?? '–'), cell('stapled', 'Stapled OCSP', place.stapled ?? '–'),
    cell('response', 'Answered in', place.response_time === null ? '–' : `${Math.round(place.response_time * 1000)} ms`)));
  return sheet('Served by', 'served', ['Endpoint', 'Seen from', 'Protocol', 'Cipher', 'Stapled OCSP', 'Answered in'], rows, '');
}

function stopping(certificate, radius) {
  if (!certificate.is_authority) return [];
  const sites = radius.sites.filter(({ name }) => name).map(({ name, devices }) => `${name}: ${devices}`).join(', ');
  const words = `${radius.certificates.length}${radius.cut ? ' or more' : ''} certificates on ${radius.devices.length} devices stop working on its last day`
    + `${sites ? ` (devices by site: ${sites})` : ''}. ${radius.ending_before.certificates.length} more hang on it, and end before it does.`;
  return sheet('What stops with it', 'stopping', rowTitles, radius.certificates.map(row), words);
}

function past(title, id, places, other, otherTitle) {
  return sheet(title, id, ['Device', 'Path', 'From', 'To', otherTitle], places.map((one) => element('tr', { role: 'row' },
    cell('device', 'Device', element('a', { href: api.devicePath(one.device) }, one.device)), cell('path', 'Path', one.path),
    cell('from', 'From', localTime(one.from)), cell('to', 'To', localTime(one.to)),
    cell('other', otherTitle, other(one) ? element('a', { href: api.certificatePath(other(one)) }, other(one).slice(0, 16)) : '–'))), '');
}

function sheet(title, id, titles, rows, words) {
  if (rows.length === 0 && !words) return [];
  const { node, body } = table(title, titles.map((text) => heading(text)));
  node.classList.add('certificates');
  body.append(...rows);
  return [element('h2', {}, title), words ? element('p', { class: 'muted' }, words) : null,
    element('div', { class: 'sheet', id, hidden: rows.length === 0 }, node)].filter(Boolean);
}
