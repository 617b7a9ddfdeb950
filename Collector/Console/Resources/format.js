// Numbers and times as people read them. Values come in SI units and ratios.

const none = '–';
const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const digits = (value) => (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
const trimmed = (value, places) => String(Number(value.toFixed(places)));

export const ratio = (value) => (isNumber(value) ? `${(value * 100).toFixed(1)}%` : none);
const axisRatio = (value) => `${trimmed(value * 100, 2)}%`;

export function seconds(value, places = 1) {
  if (!isNumber(value)) return none;
  const size = Math.abs(value);
  if (size === 0) return '0 s';
  if (size < 0.001) return `${trimmed(value * 1e6, 0)} µs`;
  if (size < 1) return `${trimmed(value * 1e3, digits(value * 1e3))} ms`;
  if (size < 120) return `${trimmed(value, digits(value))} s`;
  if (size < 7_200) return `${trimmed(value / 60, places)} min`;
  if (size < 172_800) return `${trimmed(value / 3_600, places)} h`;
  return `${trimmed(value / 86_400, places)} d`;
}

function scaled(value, unit) {
  if (!isNumber(value)) return none;
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P'];
  let scale = 0;
  while (Math.abs(value) >= 1_000 && scale < prefixes.length - 1) { value /= 1_000; scale += 1; }
  return `${trimmed(value, digits(value))}${prefixes[scale] || unit ? ' ' : ''}${prefixes[scale]}${unit}`;
}

export const memorySize = (bytes) => (isNumber(bytes) ? `${trimmed(bytes / 2 ** 30, 1)} GiB` : none);
export const count = (value) => (isNumber(value) ? value.toLocaleString('en') : none);

/** How the values of a metric read, by the unit that ends its name. */
export function formatterOf(metric) {
  if (/(_usage|_ratio)$/.test(metric)) return { value: ratio, axis: axisRatio };
  const simple = (format) => ({ value: format, axis: format });
  if (/_bytes_total$/.test(metric)) return simple((value) => scaled(value, 'B/s'));
  if (/_total$/.test(metric)) return simple((value) => scaled(value, '/s'));
  if (/_bytes$/.test(metric)) return simple((value) => scaled(value, 'B'));
  if (/_celsius$/.test(metric)) return simple((value) => (isNumber(value) ? `${trimmed(value, 1)} °C` : none));
  if (/(_seconds|_latency|_time)$/.test(metric)) return { value: (value) => seconds(value), axis: (value) => seconds(value, 3) };
  return simple((value) => scaled(value, ''));
}

/** `12 s ago`. A time slightly ahead is clocks that differ, and means now. */
export function ago(text, now) {
  const time = Date.parse(text ?? '');
  if (Number.isNaN(time)) return 'never';
  const age = Math.max(0, (now - time) / 1_000);
  if (age < 2) return 'just now';
  if (age < 60) return `${Math.floor(age)} s ago`;
  if (age < 3_600) return `${Math.floor(age / 60)} min ago`;
  if (age < 172_800) return `${Math.floor(age / 3_600)} h ago`;
  return `${Math.floor(age / 86_400)} days ago`;
}

export function daysLeft(days) {
  if (!isNumber(days)) return none;
  const whole = Math.floor(Math.abs(days));
  const noun = whole === 1 ? 'day' : 'days';
  return days < 0 ? `${whole} ${noun} ago` : `${whole} ${noun} left`;
}

const dateTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const dateOnly = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });
const formatted = (format, value) => {
  const time = typeof value === 'number' ? value : Date.parse(value ?? '');
  return Number.isNaN(time) ? none : format.format(time);
};
/** In the reader's time zone. */
export const localTime = (value) => formatted(dateTime, value);
export const localDate = (value) => formatted(dateOnly, value);
