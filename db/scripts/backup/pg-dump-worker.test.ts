import { MessageChannel, Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import type { DumpRequest } from "./pg-dump-wasm.ts";

const refusal = Buffer.from("SFATAL\0VFATAL\0C28000\0Mspoken late\0\0", "latin1");

test("pg_dump waits for its answer, whoever wakes it before", async () => {
  const { port1, port2 } = new MessageChannel();
  const signal = new SharedArrayBuffer(4);
  const turn = new Int32Array(signal);
  const request: DumpRequest = { args: ["--dbname=user=someone dbname=something"], port: port2, signal };
  const worker = new Worker(new URL("./pg-dump-worker.ts", import.meta.url), {
    workerData: request,
    transferList: [port2],
  });
  const outcome = new Promise((resolve) => worker.once("message", resolve));
  port1.once("message", () => {
    // The last answer's notification, come late.
    const waking = setInterval(() => Atomics.notify(turn, 0), 10);
    setTimeout(() => {
      clearInterval(waking);
      const length = Buffer.alloc(4);
      length.writeInt32BE(refusal.length + 4);
      port1.postMessage(Buffer.concat([Buffer.from("E"), length, refusal]));
      Atomics.store(turn, 0, 1);
      Atomics.notify(turn, 0);
    }, 200);
  });
  try {
    expect(await outcome).toEqual({ failure: expect.stringContaining("spoken late") });
  } finally {
    port1.close();
    await worker.terminate();
  }
});
