const SMALL = 64;

/** Cuts bytes as a bad network might: the first ones singly, the rest in pieces of growing odd lengths. */
export function slices(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let size = 1;
  for (let at = 0; at < bytes.length; at += size) {
    if (at >= SMALL) size = Math.min(size * 2 + 1, 16 * 1024);
    pieces.push(bytes.subarray(at, at + size));
  }
  return pieces;
}
