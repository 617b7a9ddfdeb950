// Building the page. Text goes in as text nodes only: names of devices and subjects of certificates are anybody's.

/** An element with attributes (null and false are left out, true is empty) and children (nodes or text; null is left out). */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** The same of a drawing. */
export function drawn(tag, attributes = {}, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

/** Writes text only when it differs, so that assistive technology and selections are left in peace. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

/** A table that keeps its roles when the phone layout turns its rows into cards. */
export function table(label, headings) {
  const body = element('tbody', { role: 'rowgroup' });
  const head = element('tr', { role: 'row' }, ...headings);
  const node = element('table', { role: 'table', 'aria-label': label },
    element('thead', { role: 'rowgroup' }, head), body);
  return { node, body };
}

export const heading = (...content) => element('th', { role: 'columnheader', scope: 'col' }, ...content);

export const cell = (field, label, ...content) =>
  element('td', { role: 'cell', 'data-field': field, 'data-label': label }, ...content);

/** A status in words on a tinted ground; the colour only repeats what the word says. */
export function badge(status) {
  const node = element('span', { class: 'badge' });
  setBadge(node, status);
  return node;
}

export function setBadge(node, status) {
  const known = status || 'unknown';
  setAttribute(node, 'data-tone', tones[known] ?? 'quiet');
  setText(node, known.replaceAll('_', ' '));
}

const tones = {
  critical: 'bad', problem: 'warn', online: 'good', ok: 'good', expiring: 'warn', not_yet_valid: 'warn', untrusted: 'bad', expired: 'bad', offline: 'bad', unknown: 'quiet',
};
