import { createServer, type Server, type Socket } from "node:net";
import type { Door } from "./watch/stats.ts";

export interface ListenOptions {
  door: Door;
  host: string;
  /** 0: any free port. */
  port: number;
  onConnection: (socket: Socket) => void;
}

export interface Listener {
  port: number;
  close(): Promise<void>;
}

/** Opens one door. Rejects with one line that says what to do when the port cannot be had. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, door } = options;
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    // A reset by the peer is no event of its own: "close" follows.
    socket.on("error", () => {});
    options.onConnection(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(describe(error, options)));
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`the ${door} door has no port`);
  return { port: address.port, close: () => closeServer(server) };
}

function describe(error: NodeJS.ErrnoException, { door, host, port }: ListenOptions): Error {
  const reason =
    error.code === "EADDRINUSE"
      ? `Port ${port} on ${host} is taken: end the program that uses it, or choose another port for the ${door} door.`
      : `The ${door} door cannot listen on ${host}:${port} (${error.code ?? error.message}): choose another port or host.`;
  return new Error(reason, { cause: error });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
