import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { Refusal } from "../cli.ts";
import { linesOf, type TableSum } from "./row-sum.ts";

/** What stands in the first line of an export. */
export interface ExportHead {
  environment: string;
  createdAt: string;
  /** Definitions and rows, or one of them. */
  content: "all" | "schema" | "data";
  /** Present: these tables alone, not the whole database. */
  tables?: string[];
  /** Version of the server it comes from. */
  server: string;
  tool: string;
}

/** What stands at its end: every table's sum. */
export type ExportSums = Record<string, TableSum>;

const headStart = "-- Fairlead export 1 ";
const sumsStart = "-- Fairlead sums ";
const hashStart = "-- Fairlead sha256 ";
/** Line before each part. */
export const partLine = {
  roles: "-- Fairlead roles",
  before: "-- Fairlead before",
  rows: "-- Fairlead rows",
  after: "-- Fairlead after",
};

/** Writes an export to a file that has its name only once it is whole, readable by its owner alone. */
export class ExportWriter {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash = createHash("sha256");

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async create(path: string, head: ExportHead): Promise<ExportWriter> {
    const writer = new ExportWriter(path, await open(`${path}.partial`, "wx", 0o600));
    await writer.write(`${headStart}${JSON.stringify(head)}\n`);
    return writer;
  }

  async write(data: string | Buffer): Promise<void> {
    this.#hash.update(data);
    await this.#file.appendFile(data);
  }

  async finish(sums: ExportSums): Promise<void> {
    await this.write(`${sumsStart}${JSON.stringify(sums)}\n`);
    await this.#file.appendFile(`${hashStart}${this.#hash.digest("hex")}\n`);
    await this.#file.sync();
    await this.#file.close();
    await rename(`${this.#path}.partial`, this.#path);
  }

  async abandon(): Promise<void> {
    await this.#file.close();
    await rm(`${this.#path}.partial`, { force: true });
  }
}

/**
 * Reads a whole export and compares it with its own hash.
 * @throws Refusal when it is no export of ours, or not whole.
 */
export async function checkExport(path: string): Promise<{ head: ExportHead; sums: ExportSums }> {
  await refuseForeign(path);
  const digest = createHash("sha256");
  let head: ExportHead | undefined;
  let last: Buffer[] = [];
  for await (const lines of linesOf(readBytes(path))) {
    for (const line of lines) {
      head ??= parseLine<ExportHead>(line, headStart);
      if (last[1]) digest.update(last[1]).update("\n");
      last = [line, ...last.slice(0, 1)];
    }
  }
  const [hashLine, sumsLine] = last;
  const sums = parseLine<ExportSums>(sumsLine, sumsStart);
  if (sumsLine) digest.update(sumsLine).update("\n");
  if (!head || !sums || hashLine?.toString() !== hashStart + digest.digest("hex")) {
    throw new Refusal(`${path} is not whole, or was changed: its end does not match what is in it.`);
  }
  return { head, sums };
}

async function refuseForeign(path: string): Promise<void> {
  for await (const chunk of readBytes(path, headStart.length)) {
    if (chunk.toString() === headStart) return;
  }
  throw new Refusal(`${path} is no export of db:export.`);
}

/** The lines of an export. */
export async function* exportLines(path: string): AsyncGenerator<Buffer> {
  for await (const lines of linesOf(readBytes(path))) yield* lines;
}

async function* readBytes(path: string, length = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { highWaterMark: 1 << 20, end: length - 1 });
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new Refusal(`${path} cannot be read (${reason}).`);
  }
}

/** What a line of ours says; undefined for any other. */
function parseLine<T>(line: Buffer | undefined, start: string): T | undefined {
  const text = line?.toString();
  if (!text?.startsWith(start)) return undefined;
  try {
    // Written by the writer above, which the hash vouches for.
    return JSON.parse(text.slice(start.length)) as T;
  } catch {
    return undefined;
  }
}
