import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { PGlite } from "@electric-sql/pglite";
import { pgDump } from "@electric-sql/pglite-tools/pg_dump";
import type { DumpRequest } from "./pg-dump-wasm.ts";

const { args, port, signal }: DumpRequest = workerData;
const turn = new Int32Array(signal);

/** Sends what pg_dump wants to say, and stands still until the whole answer is there. */
function exchange(message: Uint8Array): Uint8Array {
  Atomics.store(turn, 0, 0);
  port.postMessage(message.slice());
  // The notification of the answer before may come only now, and wakes as well.
  while (Atomics.load(turn, 0) === 0) Atomics.wait(turn, 0, 0);
  const answer = receiveMessageOnPort(port)?.message;
  return answer instanceof Uint8Array ? answer : new Uint8Array();
}

// What pgDump() uses of a PGlite: the protocol, and the search path that it sets back.
const wire = {
  execProtocolRawStream(message: Uint8Array, { onRawData }: { onRawData: (data: Uint8Array) => void }) {
    onRawData(exchange(message));
  },
  query: async () => ({ rows: [{ search_path: "" }] }),
  exec: async () => [],
};

try {
  // The library takes no more of a PGlite than this.
  const file = await pgDump({ pg: wire as unknown as PGlite, args });
  parentPort?.postMessage({ dump: await file.text() });
} catch (error) {
  parentPort?.postMessage({ failure: error instanceof Error ? error.message : String(error) });
}
port.close();
