import net from "node:net";

/** A stretch of wire to a Postgres server whose answers arrive late. */
export interface SlowWire {
  port: number;
  /** Since the last look: how many flights of the client belonged to starting the connection. */
  startupFlights(): number;
  close(): void;
}

/** Starts a wire to a port on loopback; every answer of the server is held back for `delayMs`. */
export async function startSlowWire(targetPort: number, delayMs: number): Promise<SlowWire> {
  let startup = 0;
  const server = net.createServer((client) => {
    const upstream = net.connect(targetPort, "127.0.0.1");
    let flights = 0;
    let answered = true;
    client.on("data", (chunk) => {
      // The first message has no type; an answer to the server's question for a password is of type p.
      if (answered && (flights === 0 || chunk[0] === 0x70)) startup += 1;
      if (answered) flights += 1;
      answered = false;
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      setTimeout(() => {
        answered = true;
        client.write(chunk);
      }, delayMs);
    });
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.setNoDelay(true).on("error", cut).on("close", cut);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the wire has no port");
  return {
    port: address.port,
    startupFlights() {
      const count = startup;
      startup = 0;
      return count;
    },
    close: () => void server.close(),
  };
}
