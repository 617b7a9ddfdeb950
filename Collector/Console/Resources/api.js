// Talking to the collector.

const timeoutMilliseconds = 10_000;
/** Differences up to this much are the Date header's one second and the journey; milliseconds. */
const skewTolerated = 3_000;
let skew = 0;

/** The collector's time as far as known, in milliseconds since 1970: "12 s ago" must not depend on this computer's clock. */
export const now = () => Date.now() + skew;

export class APIError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The JSON at `path`. Throws an `APIError` whose status is 0 when the collector cannot be reached. */
export async function get(path) {
  let response;
  try {
    response = await fetch(path, { headers: { Accept: 'application/json' }, cache: 'no-store', signal: AbortSignal.timeout(timeoutMilliseconds) });
  } catch {
    throw new APIError(0, 'The collector does not answer.');
  }
  learnSkew(response.headers.get('Date'));
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new APIError(response.status, body?.detail || body?.title || `The collector answered with status ${response.status}.`);
  if (body === null) throw new APIError(0, 'The answer of the collector could not be read.');
  return body;
}

function learnSkew(date) {
  const server = Date.parse(date ?? '');
  if (Number.isNaN(server)) return;
  const difference = server - Date.now();
  skew = Math.abs(difference) > skewTolerated ? difference : 0;
}

export const devicePath = (id) => `/devices/${encodeURIComponent(id)}`;
export const devices = async () => (await get('/v1/devices')).devices ?? [];
export const device = (id) => get(`/v1${devicePath(id)}`);

/** All series of a device; `from` and `to` in milliseconds since 1970, `step` in seconds. */
export function series(id, from, to, step) {
  const query = new URLSearchParams({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), step: String(step) });
  return get(`/v1${devicePath(id)}/series?${query}`);
}

export const certificatePath = (id) => `/certificates/${encodeURIComponent(id)}`;
export const certificate = (id) => get(`/v1${certificatePath(id)}`);
export const blastRadius = (id) => get(`/v1${certificatePath(id)}/blast-radius`);
export const calendar = (days) => get(`/v1/certificates/calendar?days=${days}`);
export const sharedKeys = async () => (await get('/v1/certificates/keys')).keys ?? [];

/** A page of certificates; parameters that are empty are left out. */
export function certificates(parameters) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  return get(`/v1/certificates?${query}`);
}

/** What became of a device's samples; `from` and `to` in milliseconds since 1970. */
export function completeness(id, from, to) {
  const query = new URLSearchParams({ start: new Date(from).toISOString(), end: new Date(to).toISOString() });
  return get(`/v1${devicePath(id)}/completeness?${query}`);
}
