import { createServer } from "node:net";
import { Refusal } from "@repo/db/scripts/cli";

/** @throws Refusal when somebody listens on the port at 127.0.0.1; `otherwise` says how to choose another. */
export function refuseTakenPort(port: number, otherwise = "set PORT to another number"): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => {
      const isTaken = "code" in error && error.code === "EADDRINUSE";
      const reason = isTaken ? "is taken by another program" : `cannot be used (${error.message})`;
      reject(new Refusal(`Port ${port} ${reason}: stop what uses it, or ${otherwise}.`));
    });
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve()));
  });
}
