// The certificates of a device, the most urgent first.
import { certificatePath } from './api.js';
import { badge, cell, element, heading, table } from './dom.js';
import { daysLeft, localDate, localTime } from './format.js';

const statuses = ['critical', 'problem', 'unknown', 'ok'];
const titles = ['Status', 'Validity', 'Subject', 'Path', 'Expires', 'Days left', 'Score', 'Issuer', 'Key', 'Trust'];

/** `show(certificates, problems)` redraws only when something changed, so that what the reader opened stays open. */
export function certificateTable() {
  const { node: sheet, body } = table('Certificates', titles.map((title) => heading(title)));
  sheet.classList.add('certificates');
  const frame = element('div', { class: 'sheet' }, sheet);
  const none = element('p', { class: 'muted' }, 'This device has reported no certificates.');
  const troubles = element('ul', { class: 'muted', id: 'certificate-problems' });
  const node = element('section', { 'aria-label': 'Certificates', id: 'certificates' }, none, frame, troubles);
  let shown = '';
  frame.hidden = true;

  function show(certificates, problems) {
    const text = JSON.stringify([certificates.map(({ seen_at, ...rest }) => rest), problems]);
    if (text === shown) return;
    shown = text;
    none.hidden = certificates.length > 0;
    frame.hidden = certificates.length === 0;
    troubles.replaceChildren(...problems.map(({ path, reason }) => element('li', {}, `Not read: ${path} (${reason})`)));
    body.replaceChildren(...[...certificates].sort(byUrgency).map(row));
  }
  return { node, show };
}

function byUrgency(a, b) {
  return statuses.indexOf(a.status) - statuses.indexOf(b.status) || Date.parse(a.not_after) - Date.parse(b.not_after);
}

function row(certificate) {
  const isTrusted = certificate.trusted === true;
  return element('tr', { role: 'row', 'data-certificate': certificate.id, 'data-status': certificate.status, 'data-validity': certificate.validity },
    cell('status', 'Status', badge(certificate.status)), cell('validity', 'Validity', certificate.validity.replaceAll('_', ' ')),
    cell('subject', 'Subject', element('a', { href: certificatePath(certificate.id) }, certificate.subject), more(certificate)),
    cell('path', 'Path', certificate.path),
    cell('not_after', 'Expires', element('time', { datetime: certificate.not_after, title: localTime(certificate.not_after) }, localDate(certificate.not_after))),
    cell('days_left', 'Days left', daysLeft(certificate.days_left)),
    cell('score', 'Score', certificate.score === null ? '–' : String(certificate.score)),
    cell('issuer', 'Issuer', certificate.issuer),
    cell('key', 'Key', [certificate.key_algorithm, certificate.key_bits].filter(Boolean).join(' ')),
    cell('trust', 'Trust', isTrusted ? 'trusted' : certificate.trust_error || 'not trusted'));
}

function more(certificate) {
  const findings = (certificate.findings ?? []).map(({ code, severity, detail }) => `${severity}: ${code.replaceAll('_', ' ')}${detail ? ` (${detail})` : ''}`);
  const facts = [
    ['Findings', findings.join('; ')],
    ['Names', (certificate.names ?? []).join(', ')], ['Serial', certificate.serial], ['Valid from', localTime(certificate.not_before)],
    ['Signature', certificate.signature_algorithm], ['Authority', certificate.is_authority ? 'yes' : 'no'], ['SHA-256', certificate.id],
  ].filter(([, value]) => value);
  return element('details', {}, element('summary', {}, 'Details'),
    element('dl', {}, ...facts.flatMap(([title, value]) => [element('dt', {}, title), element('dd', {}, value)])));
}
