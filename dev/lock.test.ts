import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { findHolder, lockFileOf, takeLock } from "./lock.ts";
import { newFolder, run, runToEnd } from "./test/programs.ts";

const ports = { cached: 1, direct: 2, origin: 3 };
const program = new URL("lock.ts", import.meta.url).href;

function newLockFile(): string {
  const file = lockFileOf(newFolder());
  mkdirSync(dirname(file), { recursive: true });
  return file;
}

/** A program that takes the lock, says so and stays. */
function taker(file: string, then = "setInterval(() => {}, 1000)") {
  const source = `import { takeLock } from "${program}"; const lock = await takeLock("${file}", "dev");
    lock.publish(${JSON.stringify(ports)}); console.log("taken"); ${then}`;
  return ["--input-type=module-typescript", "-e", source];
}

test("the file names its holder and its ports, and goes when released", async () => {
  const file = newLockFile();
  const lock = await takeLock(file, "dev");
  lock.publish(ports);
  expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ pid: process.pid, role: "dev", ports });
  lock.release();
  lock.release();
  expect(existsSync(file)).toBe(false);
});

test("a living holder is found and not replaced; once killed, its lock is taken over", async () => {
  const file = newLockFile();
  const other = run(taker(file));
  await other.says(/taken/);
  expect(findHolder(file)).toMatchObject({ pid: other.child.pid, role: "dev", ports });
  await expect(takeLock(file, "command")).rejects.toThrow(
    `is in use by process ${other.child.pid}: stop that one, or set PGLITE_DIR to another folder.`,
  );
  other.child.kill("SIGKILL");
  await other.ended;
  expect(findHolder(file)).toBeUndefined();
  const lock = await takeLock(file, "command");
  expect(JSON.parse(readFileSync(file, "utf8")).pid).toBe(process.pid);
  lock.release();
});

test("a process that only has the number of a dead holder holds nothing", async () => {
  const file = newLockFile();
  writeFileSync(file, JSON.stringify({ pid: process.ppid, born: "long ago", role: "dev" }));
  expect(findHolder(file)).toBeUndefined();
  (await takeLock(file, "command")).release();
});

test("a file that is no lock is replaced", async () => {
  const file = newLockFile();
  writeFileSync(file, "{");
  (await takeLock(file, "command")).release();
});

test("of several that find a dead lock at once, one gets it", async () => {
  const file = newLockFile();
  writeFileSync(file, JSON.stringify({ pid: 2 ** 22 - 1, born: "1", role: "dev" }));
  const stay = "setTimeout(() => {}, 1500)";
  const ends = await Promise.all(Array.from({ length: 4 }, () => runToEnd(taker(file, stay))));
  expect(ends.filter(({ output }) => output.includes("taken"))).toHaveLength(1);
});
