import net from "node:net";

/** When a wire breaks: as soon as a client's message holds `match`, before or after the server has seen it. */
export interface Break {
  match: string;
  phase: "before" | "after";
}

export interface WireCounts {
  /** Connections opened since the last look, and open now. */
  opened: number;
  open: number;
  /** The client's messages since the last look, in flights: what was sent before the server answered. Types as letters. */
  flights: string[];
}

/** A stretch of wire between a client and a Postgres server that counts what crosses it and breaks on demand. */
export interface Wire {
  port: number;
  /** What has crossed since the last look. */
  look(): WireCounts;
  arm(where: Break): void;
  /** Cuts every connection and refuses new ones, until `up`. */
  down(): void;
  up(): void;
  close(): Promise<void>;
}

/** Starts a wire to a port on loopback. */
export async function startWire(targetPort: number): Promise<Wire> {
  const state: WireState = { pairs: new Set(), opened: 0, flights: [], refuses: false, armed: undefined };
  const server = net.createServer((client) => {
    if (state.refuses) client.destroy();
    else join(state, client, net.connect(targetPort, "127.0.0.1"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the wire has no port");
  const cutAll = () => {
    for (const cut of state.pairs) cut();
  };
  return {
    port: address.port,
    look() {
      const counts = { opened: state.opened, open: state.pairs.size, flights: state.flights };
      state.opened = 0;
      state.flights = [];
      return counts;
    },
    arm(where) {
      state.armed = where;
    },
    down() {
      state.refuses = true;
      cutAll();
    },
    up() {
      state.refuses = false;
    },
    async close() {
      cutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface WireState {
  pairs: Set<() => void>;
  opened: number;
  flights: string[];
  refuses: boolean;
  armed: Break | undefined;
}

function join(state: WireState, client: net.Socket, server: net.Socket): void {
  const cut = () => {
    client.destroy();
    server.destroy();
    state.pairs.delete(cut);
  };
  state.pairs.add(cut);
  state.opened += 1;
  let answered = true;
  let breaks = false;
  const types = messageTypes();
  client.on("data", (chunk) => {
    if (answered) state.flights.push("");
    answered = false;
    state.flights.push((state.flights.pop() ?? "") + types(chunk));
    const { armed } = state;
    if (armed && chunk.includes(armed.match)) {
      state.armed = undefined;
      breaks = armed.phase === "after";
      if (!breaks) return cut();
    }
    server.write(chunk);
  });
  server.on("data", (chunk) => {
    answered = true;
    if (breaks) cut();
    else client.write(chunk);
  });
  for (const socket of [client, server]) socket.setNoDelay(true).on("error", cut).on("close", cut);
}

/** Reads the type letters of a client's messages out of its chunks; the startup message is `0`. */
function messageTypes(): (chunk: Buffer) => string {
  let pending = Buffer.alloc(0);
  let started = false;
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    let types = "";
    while (pending.length >= 5) {
      const length = started ? 1 + pending.readInt32BE(1) : pending.readInt32BE(0);
      if (pending.length < length) break;
      types += started ? String.fromCharCode(pending[0] ?? 0) : "0";
      started = true;
      pending = pending.subarray(length);
    }
    return types;
  };
}
