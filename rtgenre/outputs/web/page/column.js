// The binary message of one spectrogram column; rtgenre/messages/columns.py describes it. Pure.

const FORMAT = 1;
const HEADER_BYTES = 20;

/** Returns {sourceIndex, endSeconds, values}, or null for a format of another version. */
export function decodeColumn(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEADER_BYTES || view.getUint8(0) !== FORMAT) return null;
  return {
    sourceIndex: view.getUint8(1),
    endSeconds: view.getFloat64(4, true),
    values: new Uint8Array(buffer, HEADER_BYTES, view.getUint16(2, true)),
  };
}
