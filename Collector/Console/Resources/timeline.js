// The picture of what ends when: a bar a week, a year ahead.
import { drawn, element } from './dom.js';
import { localDate } from './format.js';

export const timelineDays = 364;
const dayMilliseconds = 86_400_000;
const [width, height, floor] = [728, 120, 100];
const month = new Intl.DateTimeFormat('en-GB', { month: 'short', timeZone: 'UTC' });

/** `show(days, now)` draws what the calendar says; `choose` is told of the week that was picked, or null. */
export function timeline(choose) {
  const picture = drawn('svg', { viewBox: `0 0 ${width} ${height}`, class: 'timeline', role: 'group' });
  const words = element('p', { class: 'muted', id: 'timeline-words' });
  const node = element('section', { 'aria-label': 'Expiries of the next year', id: 'timeline' }, picture, words);
  let chosen = null;

  function show(days, now) {
    const weeks = weeksOf(days, now);
    const most = Math.max(1, ...weeks.map((week) => week.certificates.length));
    const total = weeks.reduce((sum, week) => sum + week.certificates.length, 0);
    picture.setAttribute('aria-label', `${total} certificates end within a year`);
    words.textContent = total === 0 ? 'Nothing ends within a year.' : `${total} certificates end within a year; pick a week to see them.`;
    picture.replaceChildren(...ticks(now), drawn('path', { class: 'floor', d: `M0 ${floor}.5H${width}` }),
      ...weeks.filter((week) => week.certificates.length > 0).map((week) => bar(week, most)));
    if (chosen === null || weeks[chosen].certificates.length > 0) return;
    // What was picked has no bar any more that would let it go.
    chosen = null;
    choose(null);
  }

  function bar(week, most) {
    const size = 8 + (floor - 14) * week.certificates.length / most;
    const text = `week of ${localDate(week.from)}: ${week.certificates.length} on ${new Set(week.certificates.map(({ device }) => device)).size} devices`;
    const node = drawn('g', { class: 'week', tabindex: 0, role: 'button', 'aria-label': text, 'aria-pressed': week.index === chosen, 'data-week': week.index, 'data-soon': week.index < 5 },
      drawn('rect', { class: 'reach', x: week.index * 14, y: 0, width: 14, height: floor }),
      drawn('rect', { class: 'bar-of-week', x: week.index * 14 + 2, y: floor - size, width: 10, height: size, rx: 2 }),
      drawn('title', {}, text));
    const pick = () => {
      chosen = chosen === week.index ? null : week.index;
      for (const other of picture.querySelectorAll('.week')) other.setAttribute('aria-pressed', String(Number(other.dataset.week) === chosen));
      choose(chosen === null ? null : week);
    };
    node.addEventListener('click', pick);
    node.addEventListener('keydown', (event) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); pick(); } });
    return node;
  }
  return { node, show };
}

function weeksOf(days, now) {
  const weeks = Array.from({ length: timelineDays / 7 }, (_, index) => ({ index, from: now + index * 7 * dayMilliseconds, certificates: [] }));
  for (const { date, certificates } of days) {
    const index = Math.floor((Date.parse(date) + dayMilliseconds - 1 - now) / (7 * dayMilliseconds));
    weeks[Math.min(Math.max(index, 0), weeks.length - 1)].certificates.push(...certificates);
  }
  return weeks;
}

function ticks(now) {
  const first = new Date(now);
  return Array.from({ length: 12 }, (_, index) => new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1 + index, 1))).map((date) => {
    const x = (date.getTime() - now) / (timelineDays * dayMilliseconds) * width;
    return drawn('g', { class: 'tick' }, drawn('path', { d: `M${x.toFixed(1)} 0V${floor + 4}` }), drawn('text', { x: (x + 3).toFixed(1), y: height - 5 }, month.format(date)));
  });
}
