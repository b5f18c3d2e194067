/** A quiet two-tone ring, made on the spot: no audio file to load. Which tab rings, `app` decides. */

/** Two short tones, then silence, as a desk phone does. */
const PERIOD_S = 3;
const TONES = [
  { at: 0, hertz: 587 },
  { at: 0.22, hertz: 740 },
];
const TONE_S = 0.2;
const LOUDNESS = 0.06;

/** A tone that starts or ends at once clicks. */
const EDGE_S = 0.02;

/** @param {{createContext?: () => AudioContext}} [options] */
export function createSound({ createContext = () => new AudioContext() } = {}) {
  /** @type {AudioContext | null} */
  let context = null;
  /** @type {AudioBufferSourceNode | null} */
  let source = null;

  function wake() {
    if (context) context.resume().catch(() => undefined);
  }

  function start() {
    try {
      context = context || createContext();
      source = context.createBufferSource();
      source.buffer = melody(context);
      // One looped buffer needs no timer, and hidden pages get none in time.
      source.loop = true;
      source.connect(context.destination);
      source.start();
      wake();
    } catch (error) {
      source = null; // No audio device: the card and the notice remain.
    }
  }

  function stop() {
    if (source) source.stop();
    source = null;
  }

  return {
    /** @param {boolean} on */
    set(on) {
      if (on && !source) start();
      if (!on) stop();
    },

    /** Until the agent has touched the page, browsers keep sound suspended: called at each touch. */
    wake,

    close() {
      stop();
      if (context) context.close().catch(() => undefined);
      context = null;
    },
  };
}

/** @param {AudioContext} context */
function melody(context) {
  const rate = context.sampleRate;
  const buffer = context.createBuffer(1, PERIOD_S * rate, rate);
  const samples = buffer.getChannelData(0);
  for (const { at, hertz } of TONES) {
    const from = Math.round(at * rate);
    for (let index = 0; index < TONE_S * rate; index++) {
      const second = index / rate;
      const edge = Math.min(1, second / EDGE_S, (TONE_S - second) / EDGE_S);
      samples[from + index] = Math.sin(2 * Math.PI * hertz * second) * LOUDNESS * edge;
    }
  }
  return buffer;
}
