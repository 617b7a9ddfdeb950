// Keys that more than one device has: a private key that two know is nobody's secret.
import { certificatePath, devicePath } from './api.js';
import { badge, cell, element, heading, table } from './dom.js';

/** `show(keys)` as `/v1/certificates/keys` has them; nothing is seen of it where there are none. */
export function sharedKeys() {
  const { node: sheet, body } = table('Keys on several devices', ['Severity', 'Private key on', 'Certificates', 'Key'].map((title) => heading(title)));
  const node = element('section', { 'aria-label': 'Keys on several devices', id: 'shared-keys', hidden: true },
    element('h2', {}, 'Keys on several devices'), element('div', { class: 'sheet' }, sheet));

  function show(keys) {
    node.hidden = keys.length === 0;
    body.replaceChildren(...keys.map(row));
  }
  return { node, show };
}

function row(key) {
  return element('tr', { role: 'row', 'data-key': key.key_id, 'data-severity': key.severity },
    cell('severity', 'Severity', badge(key.severity)),
    cell('device', 'Private key on', ...listed(key.private_key_on.map((id) => element('a', { href: devicePath(id) }, id)))),
    cell('certificates', 'Certificates', ...listed(key.certificates.map((id) => element('a', { href: certificatePath(id) }, id.slice(0, 16))))),
    cell('key', 'Key', element('code', {}, key.key_id.slice(0, 16))));
}

function listed(nodes) {
  if (nodes.length === 0) return ['–'];
  return nodes.flatMap((node, index) => (index === 0 ? [node] : [', ', node]));
}
