import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { startWire, type Wire } from "./wire.ts";

/** The doors that a wire may lead to, by name, with their ports. */
export type Targets = Record<string, number>;

export interface WireControl {
  url: string;
  close(): Promise<void>;
}

/**
 * Hands out wires over HTTP, so that a test in workerd can have one: `POST /<target>` answers its port; under that
 * port's number, `/<port>/look`, `/arm` (body: a Break), `/down`, `/up`.
 */
export async function startWireControl(targets: Targets): Promise<WireControl> {
  const wires = new Map<string, Wire>();
  const server = createServer((request, response) => {
    const [, first = "", verb = ""] = (request.url ?? "").split("/");
    answer(first, verb)
      .then((body) => response.end(JSON.stringify(body ?? {})))
      .catch((error: unknown) => response.writeHead(400).end(String(error)));

    async function answer(name: string, action: string): Promise<unknown> {
      const wire = wires.get(name);
      if (!wire) {
        const made = await startWire(portOf(targets, name));
        wires.set(String(made.port), made);
        return { port: made.port };
      }
      if (action === "look") return wire.look();
      if (action === "arm") wire.arm((await json(request)) as Parameters<Wire["arm"]>[0]);
      else if (action === "down") wire.down();
      else if (action === "up") wire.up();
      else throw new Error(`no such action: ${action}`);
      return undefined;
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the wire control has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await Promise.all([...wires.values()].map((wire) => wire.close()));
    },
  };
}

function portOf(targets: Targets, name: string): number {
  const port = targets[name];
  if (port === undefined) throw new Error(`no such target: ${name}`);
  return port;
}
