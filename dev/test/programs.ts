import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { rootFolder } from "@repo/db/scripts/paths";
import { refuseTakenPort } from "../ports.ts";

export interface Program {
  child: ChildProcess;
  /** What it has written so far, to both outputs. */
  output(): string;
  /** Resolves with its exit code, or the name of the signal that ended it. */
  ended: Promise<number | string>;
  /** Resolves once its output matches; rejects when it ends before. */
  says(pattern: RegExp): Promise<void>;
}

/** Runs one of our programs from the root, as package.json does. */
export function run(args: string[], variables: NodeJS.Dict<string> = {}): Program {
  // Empty, so that neither the test run nor a developer's env files say anything.
  const env = { ...process.env, NODE_ENV: "", ENVIRONMENT: "", DATABASE_URL: "", ...variables };
  const child = spawn(process.execPath, args, { cwd: rootFolder, env, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += String(chunk)));
  const ended = once(child, "close").then(([code, signal]) => code ?? signal);
  const says = async (pattern: RegExp) => {
    while (!pattern.test(text)) {
      if (child.exitCode !== null) throw new Error(`it ended without saying ${pattern}:\n${text}`);
      await wait(20);
    }
  };
  return { child, output: () => text, ended, says };
}

/** Runs a program to its end. */
export async function runToEnd(args: string[], variables?: NodeJS.Dict<string>) {
  const program = run(args, variables);
  return { code: await program.ended, output: program.output() };
}

/** A folder of its own for an embedded database. */
export function newFolder(): string {
  return join(mkdtempSync(join(tmpdir(), "fairlead-dev-")), "data");
}

/** A PORT that is free together with the three after it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + 4 * Math.floor(Math.random() * 2_500);
    if (await areFree(port)) return port;
  }
}

/** Whether nobody listens on the port and the three after it. */
export async function areFree(port: number): Promise<boolean> {
  const checks = [0, 1, 2, 3].map((offset) => refuseTakenPort(port + offset));
  return (await Promise.allSettled(checks)).every(({ status }) => status === "fulfilled");
}

/** Waits until `check` holds, at most as long as bounds a hang on a busy machine. Returns whether it did. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const started = Date.now(); Date.now() - started < 30_000; await wait(50)) {
    if (await check()) return true;
  }
  return false;
}
