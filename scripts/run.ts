import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, dirname } from "node:path";
import { onRunnerLost } from "./runners.ts";
import { fail, prepareNode, rootFolder } from "./setup.ts";

// Run by bun, before anything is installed: `bun scripts/run.ts <program> [arguments]` installs what is missing, then
// runs the program with the Node of node_modules.
const [program, ...args] = process.argv.slice(2);
if (!program) fail("Usage: bun scripts/run.ts <program> [arguments]");

const node = prepareNode();
const child = spawn(node, [program, ...args], {
  cwd: rootFolder,
  stdio: "inherit",
  env: {
    ...process.env,
    PATH: [dirname(node), process.env.PATH].join(delimiter),
    FAIRLEAD_RUNNER: String(process.pid),
  },
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    // A terminal sends Ctrl-C to the program as well.
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  });
}
const stopWatching = onRunnerLost(() => child.kill("SIGTERM"));
child.once("error", (error) => fail(`Cannot run ${node}: ${error.message}`));
child.once("exit", (code, signal) => {
  stopWatching();
  process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1));
});
