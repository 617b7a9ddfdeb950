// One shell, two pages: the address says which.
import { element } from './dom.js';
import { showFleet } from './fleet.js';
import { showDevice } from './device.js';

const main = document.getElementById('main');
main.replaceChildren();

function deviceOf(path) {
  const match = /^\/devices\/([^/]+)\/?$/.exec(path);
  if (!match) return null;
  try { return decodeURIComponent(match[1]); } catch { return null; }
}

const device = deviceOf(location.pathname);
if (device !== null) {
  showDevice(main, device);
} else if (location.pathname === '/') {
  showFleet(main);
} else {
  document.title = 'Not found · Farwatch';
  main.append(element('h1', {}, 'There is nothing here'), element('p', {}, element('a', { href: '/' }, 'Back to the fleet')));
}
