import type { Duplex } from "node:stream";

let corked: Duplex[] = [];

/**
 * Writes together with all else that this turn of the event loop has for the socket. Reading first and writing at the end
 * spares system calls: whoever is woken by a write finds more to do. False asks to wait for `drain`, as `write` does.
 */
export function writeInTurn(socket: Duplex, bytes: Buffer): boolean {
  if (socket.writableCorked === 0) {
    socket.cork();
    if (corked.push(socket) === 1) setImmediate(uncork);
  }
  return socket.write(bytes);
}

function uncork(): void {
  const sockets = corked;
  corked = [];
  for (const socket of sockets) socket.uncork();
}
