// Slaney's mel scale, as the service's filter bank uses it; pure.

const HZ_PER_MEL = 200 / 3;
const LOG_START_HZ = 1000;
const LOG_START_MEL = LOG_START_HZ / HZ_PER_MEL;
const LOG_STEP = Math.log(6.4) / 27;

export function hzToMel(hz) {
  if (hz < LOG_START_HZ) return hz / HZ_PER_MEL;
  return LOG_START_MEL + Math.log(hz / LOG_START_HZ) / LOG_STEP;
}

/** Where a frequency lies between the lowest and the highest band, 0 to 1. */
export function heightOf(hz, { fmin_hz: lowest, fmax_hz: highest }) {
  return (hzToMel(hz) - hzToMel(lowest)) / (hzToMel(highest) - hzToMel(lowest));
}
