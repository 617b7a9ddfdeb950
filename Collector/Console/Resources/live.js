// The stream of changed devices, what to do when it breaks, and telling the reader about it.
import * as api from './api.js';
import { setText } from './dom.js';

const pollMilliseconds = 5_000;
const connectTimeoutMilliseconds = 10_000;
const retryMillisecondsMax = 15_000;
/** A stream that has been silent for so long may be a dead one: keep-alives cannot be seen from here, so it is opened anew. */
const silenceMillisecondsMax = 45_000;

const texts = { connecting: 'Connecting', live: 'Live', polling: 'Polling', lost: 'Connection lost' };

/** Shows how fresh the page is: `connecting`, `live`, `polling` or `lost`; `detail` is said when it is lost. */
export function showConnection(state, detail = '') {
  const indicator = document.getElementById('live');
  if (indicator.dataset.live !== state) indicator.dataset.live = state;
  setText(document.getElementById('live-text'), texts[state]);
  const banner = document.getElementById('banner');
  banner.hidden = state !== 'lost';
  setText(banner, state === 'lost' ? `Connection lost. ${detail} What you see may be out of date; trying again.` : '');
}

/** Keeps a list of devices current: by server-sent events, by polling while those fail. Rests while nobody looks at the page. */
export class LiveDevices {
  #onDevices;
  #source = null;
  #state = 'connecting';
  #retries = 0;
  #isRunning = false;
  #reconnectTimer = 0;
  #silenceTimer = 0;
  #pollTimer = 0;

  /** `onDevices(devices, isComplete)`: the whole fleet, or only those that changed. */
  constructor(onDevices) {
    this.#onDevices = onDevices;
    document.addEventListener('visibilitychange', () => (document.hidden ? this.stop() : this.start()));
    addEventListener('pagehide', () => this.stop());
    addEventListener('pageshow', () => this.start());
  }

  start() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#connect();
    this.#poll();
  }

  stop() {
    this.#isRunning = false;
    this.#close();
    clearTimeout(this.#reconnectTimer);
    clearTimeout(this.#pollTimer);
    this.#state = 'connecting';
  }

  #close() {
    clearTimeout(this.#silenceTimer);
    this.#source?.close();
    this.#source = null;
  }

  #connect() {
    this.#close();
    const source = new EventSource('/v1/live');
    this.#source = source;
    let isFirst = true;
    const expect = (milliseconds, otherwise) => {
      clearTimeout(this.#silenceTimer);
      this.#silenceTimer = setTimeout(otherwise, milliseconds);
    };
    expect(connectTimeoutMilliseconds, () => this.#fail());
    source.addEventListener('open', () => {
      if (source !== this.#source) return;
      this.#retries = 0;
      this.#show('live');
      expect(silenceMillisecondsMax, () => this.#connect());
    });
    source.addEventListener('devices', (event) => {
      if (source !== this.#source) return;
      expect(silenceMillisecondsMax, () => this.#connect());
      const devices = parsed(event.data);
      if (!devices) return;
      this.#onDevices(devices, isFirst);
      isFirst = false;
    });
    source.addEventListener('error', () => { if (source === this.#source) this.#fail(); });
  }

  #fail() {
    this.#close();
    if (!this.#isRunning) return;
    const wasLive = this.#state === 'live';
    if (wasLive) this.#show('lost', 'The live stream ended.');
    const limit = Math.min(retryMillisecondsMax, 1_000 * 2 ** this.#retries);
    this.#retries = Math.min(this.#retries + 1, 10);
    // Half of it at random, so that many consoles do not return in the same instant.
    clearTimeout(this.#reconnectTimer);
    this.#reconnectTimer = setTimeout(() => this.#connect(), limit / 2 + Math.random() * limit / 2);
    if (wasLive) this.#poll();
  }

  /** Asks once, and again and again until the stream is back. */
  async #poll() {
    clearTimeout(this.#pollTimer);
    let devices = null;
    let problem = '';
    try { devices = await api.devices(); } catch (error) { problem = error.message; }
    if (!this.#isRunning || this.#state === 'live') return;
    if (devices) {
      this.#onDevices(devices, true);
      if (this.#source === null) this.#show('polling');
    } else {
      this.#show('lost', problem);
    }
    clearTimeout(this.#pollTimer);
    this.#pollTimer = setTimeout(() => this.#poll(), pollMilliseconds);
  }

  #show(state, detail) {
    this.#state = state;
    showConnection(state, detail);
  }
}

function parsed(data) {
  try {
    const { devices } = JSON.parse(data);
    return Array.isArray(devices) ? devices : null;
  } catch {
    return null;
  }
}
