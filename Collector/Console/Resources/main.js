// One shell for all pages: the address says which.
import { element } from './dom.js';
import { showFleet } from './fleet.js';
import { showDevice } from './device.js';
import { showCertificate } from './certificate.js';
import { showInventory } from './inventory.js';

const main = document.getElementById('main');
main.replaceChildren();

function nameIn(pattern, path) {
  const match = pattern.exec(path);
  if (!match) return null;
  try { return decodeURIComponent(match[1]); } catch { return null; }
}

const device = nameIn(/^\/devices\/([^/]+)\/?$/, location.pathname);
const certificate = nameIn(/^\/certificates\/([^/]+)\/?$/, location.pathname);
if (device !== null) {
  showDevice(main, device);
} else if (certificate !== null) {
  showCertificate(main, certificate);
} else if (location.pathname === '/certificates') {
  showInventory(main);
} else if (location.pathname === '/') {
  showFleet(main);
} else {
  document.title = 'Not found · Farwatch';
  main.append(element('h1', {}, 'There is nothing here'), element('p', {}, element('a', { href: '/' }, 'Back to the fleet')));
}
