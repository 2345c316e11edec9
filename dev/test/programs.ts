import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
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
  return start([process.execPath, ...args], variables, "ignore");
}

/** Whether there is a `script`, as of util-linux, that lends a program a terminal. */
export const hasTerminals = /util-linux/.test(spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "");

/** Runs any program on a terminal of its own, whose keyboard is `types`; its output is without colours and the like. */
export function runOnTerminal(words: string[], variables: NodeJS.Dict<string> = {}) {
  const command = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const script = ["script", "--quiet", "--flush", "--return", "--command", `exec ${command}`, "/dev/null"];
  const program = start(script, { SHELL: "/bin/sh", ...variables }, "pipe");
  return { ...program, types: (keys: string) => program.child.stdin?.write(keys) };
}

function start([command = "", ...args]: string[], variables: NodeJS.Dict<string>, stdin: "ignore" | "pipe"): Program {
  // Empty, so that neither the test run nor a developer's env files say anything.
  const env = { ...process.env, NODE_ENV: "", ENVIRONMENT: "", DATABASE_URL: "", ...variables };
  const child = spawn(command, args, { cwd: rootFolder, env, stdio: [stdin, "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (text += String(chunk)));
  const output = () => (stdin === "pipe" ? stripVTControlCharacters(text) : text);
  const ended = once(child, "close").then(([code, signal]) => code ?? signal);
  const says = async (pattern: RegExp) => {
    while (!pattern.test(output())) {
      if (child.exitCode !== null) throw new Error(`it ended without saying ${pattern}:\n${output()}`);
      await wait(20);
    }
  };
  return { child, output, ended, says };
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

/** A PORT that is free together with the four after it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + 5 * Math.floor(Math.random() * 2_000);
    if (await areFree(port)) return port;
  }
}

/** Whether nobody listens on the port and the four after it. */
export async function areFree(port: number): Promise<boolean> {
  const checks = [0, 1, 2, 3, 4].map((offset) => refuseTakenPort(port + offset));
  return (await Promise.allSettled(checks)).every(({ status }) => status === "fulfilled");
}

/** Waits until `check` holds, at most as long as bounds a hang on a busy machine. Returns whether it did. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const started = Date.now(); Date.now() - started < 30_000; await wait(50)) {
    if (await check()) return true;
  }
  return false;
}
