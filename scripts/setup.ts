import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const oldestNode = 24;

export const rootFolder = join(import.meta.dirname, "..");
const modules = join(rootFolder, "node_modules");
const stamp = join(modules, ".installed");

/** Ends the process with one line on stderr. */
export function fail(line: string): never {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}

/** Installs the packages unless node_modules is what bun.lock says; returns the path of the Node to use. */
export function prepareNode(): string {
  const lock = createHash("sha256")
    .update(readFileSync(join(rootFolder, "bun.lock")))
    .digest("hex");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
    install();
    writeFileSync(stamp, lock);
  }
  return checkedNode();
}

function install(): void {
  const started = Date.now();
  process.stderr.write("Installing packages … ");
  const { status, stdout, stderr } = spawnSync(process.execPath, ["install", "--frozen-lockfile", "--no-progress"], {
    cwd: rootFolder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (status !== 0) {
    process.stderr.write(`failed\n${stdout}${stderr}`);
    fail("The packages could not be installed: mend what bun says above, then run the command again.");
  }
  process.stderr.write(`done in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

function checkedNode(): string {
  const node = join(modules, ".bin", process.platform === "win32" ? "node.exe" : "node");
  const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  const version = stdout?.trim() ?? "";
  if (Number(version.match(/^v(\d+)\./)?.[1] ?? 0) < oldestNode) {
    const found = version ? `is Node ${version}` : "does not run";
    fail(`node_modules/.bin/node ${found}, needed is ${oldestNode}: remove node_modules, then run the command again.`);
  }
  return node;
}
