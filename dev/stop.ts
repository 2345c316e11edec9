import { setTimeout as wait } from "node:timers/promises";

const checkEveryMs = 500;
const impatientAfterMs = 1000;
const quietMs = 100;

/**
 * A signal that aborts when this process is to end: by Ctrl-C, SIGTERM, a closed terminal, or because the command that
 * started it is gone. A second Ctrl-C, a second later, ends it at once.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  let since: number | undefined;
  const stop = () => {
    since ??= Date.now();
    if (Date.now() - since > impatientAfterMs) process.exit(1);
    controller.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, stop);
  // Whoever read our output may be gone before us.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  watchParent(() => controller.abort());
  return controller.signal;
}

/** Only below scripts/run.ts: started by hand, a process may outlive its shell. */
function watchParent(gone: () => void): void {
  const { FAIRLEAD_RUNNER: runner } = process.env;
  const parent = process.ppid;
  if (Number(runner) !== parent) return;
  const timer = setInterval(() => {
    if (process.ppid !== parent) gone();
  }, checkEveryMs);
  timer.unref();
}

/**
 * Ends this process, with `process.exitCode`. Node never ends when its compiler happens to be at work on a thread of its own
 * (issue 54918 of nodejs/node): it has a moment to finish first.
 */
export async function leave(): Promise<never> {
  await wait(quietMs);
  process.exit();
}
