import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { Refusal } from "@repo/db/scripts/cli";

/** Ports of a local Hyperdrive's three doors. */
export interface DoorPorts {
  cached: number;
  direct: number;
  origin: number;
}

/** What stands in a lock file. */
export interface Holder {
  pid: number;
  /** When the process started, as the system counts it: tells it from a later one that got the same pid. */
  born: string;
  /** `dev` serves others until it ends; `command` is gone in a moment. */
  role: "dev" | "command";
  /** Absent while the holder is starting. */
  ports?: DoorPorts;
}

export interface Lock {
  /** Tells others where the database is served. */
  publish(ports: DoorPorts): void;
  /** Removes the file; safe to call twice. */
  release(): void;
}

/** Path of the lock file that belongs to an embedded database's folder. */
export function lockFileOf(folder: string): string {
  return `${folder.replace(/\/+$/, "")}.lock`;
}

/** The living holder of a lock file, or undefined: no file, or its process is gone. */
export function findHolder(file: string): Holder | undefined {
  const holder = read(file);
  if (!holder || holder.pid === process.pid) return undefined;
  return holder.born === birthOf(holder.pid) ? holder : undefined;
}

/**
 * Takes the lock file for this process. The lock of a dead process is taken over.
 * @throws Refusal when a living process holds it; it ends with `elsewhere`, which names another folder.
 */
export async function takeLock(
  file: string,
  role: Holder["role"],
  elsewhere = "set PGLITE_DIR to another folder",
): Promise<Lock> {
  const own: Holder = { pid: process.pid, born: birthOf(process.pid) ?? "", role };
  if (!create(file, own)) {
    const holder = findHolder(file);
    if (holder) throw inUse(file, holder, elsewhere);
    rmSync(file, { force: true });
    const isOurs = create(file, own);
    // Another process may have seen the same dead lock and removed ours for its own.
    await wait(50);
    if (!isOurs || read(file)?.pid !== process.pid) throw inUse(file, read(file), elsewhere);
  }
  return {
    publish: (ports) => replace(file, { ...own, ports }),
    release() {
      if (read(file)?.pid === process.pid) rmSync(file, { force: true });
    },
  };
}

function inUse(file: string, holder: Holder | undefined, elsewhere: string): Refusal {
  const folder = file.replace(/\.lock$/, "");
  const who = holder ? `process ${holder.pid}` : "another process";
  return new Refusal(`${folder} is in use by ${who}: stop that one, or ${elsewhere}.`);
}

/** Writes the whole file or none: others never read a half. */
function create(file: string, holder: Holder): boolean {
  const draft = writeDraft(file, holder);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function replace(file: string, holder: Holder): void {
  renameSync(writeDraft(file, holder), file);
}

function writeDraft(file: string, holder: Holder): string {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(holder)}\n`);
  return draft;
}

function read(file: string): Holder | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isHolder(holder) ? holder : undefined;
  } catch {
    return undefined;
  }
}

function isHolder(value: unknown): value is Holder {
  return typeof value === "object" && value !== null && "pid" in value && "born" in value && "role" in value;
}

/** When a process started, or undefined when there is none of this pid. */
function birthOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return undefined;
  }
  if (process.platform !== "linux") return "";
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    // A zombie holds nothing any more.
    return fields[0] === "Z" ? undefined : (fields[19] ?? "");
  } catch {
    return undefined;
  }
}
