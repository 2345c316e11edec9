import { hash } from "node:crypto";
import type { Message } from "./raw-client.ts";

const FIRST_OWN_OID = 16_384;
const LONGEST = 300;

/** What a client was sent, a line for each message, without what must differ between two runs of one script. */
export function transcript(messages: readonly Message[]): string[] {
  const tables: number[] = [];
  return messages.map(({ type, body }) => `${type} ${shown(normalised(type, body, tables))}`);
}

function normalised(type: string, body: Buffer, tables: number[]): Buffer {
  switch (type) {
    case "E":
    case "N":
      return Buffer.from(withoutSource(body.toString("latin1")), "latin1");
    case "T":
      return withoutOids(body, tables);
    case "A":
      // The process that has notified.
      return body.subarray(4);
    default:
      return body;
  }
}

/** File and line of Postgres' source: an error that the Hyperdrive tells in its stead has none. */
function withoutSource(fields: string): string {
  return fields.replaceAll(/\0[FL][^\0]*/g, "");
}

/** Each run makes its tables anew: the n-th that it tells of is the same as the other's, whatever its oid. */
function withoutOids(body: Buffer, tables: number[]): Buffer {
  const copy = Buffer.from(body);
  for (let at = 2; at < copy.length; at += 18) {
    at = copy.indexOf(0, at) + 1;
    const oid = copy.readUInt32BE(at);
    if (oid < FIRST_OWN_OID) continue;
    if (!tables.includes(oid)) tables.push(oid);
    copy.writeUInt32BE(FIRST_OWN_OID + tables.indexOf(oid), at);
  }
  return copy;
}

/** Readable, and unequal where the bytes are. */
function shown(body: Buffer): string {
  const text = JSON.stringify(body.toString("latin1")).slice(1, -1).replaceAll("\\u0000", "\\0");
  if (text.length <= LONGEST) return text;
  return `${text.slice(0, LONGEST)}… ${body.length} bytes ${hash("sha256", body)}`;
}

const CHANGED = "Mcached plan must not change result type\\0";

/**
 * The same, with what no pool can know. A session may lack a statement that its client has prepared on another: then it is
 * prepared anew. That tells first that the transaction is aborted (25P02, where another error or a description would come
 * before nothing happens all the same), or that the schema no longer allows it (where Bind's parameters are wrong, too);
 * and a statement whose columns have changed, of which the client was never told, works: from there on all may differ.
 */
export function forgiven(heard: readonly string[], expected: readonly string[]): string[] {
  const told = pipelinesOf(expected);
  const says = (pipeline: readonly string[] | undefined) => pipeline?.some((line) => line.includes(CHANGED)) === true;
  const all = pipelinesOf(heard);
  const renewed = told.findIndex((pipeline, at) => says(pipeline) && !says(all[at]));
  if (renewed !== -1) all.splice(renewed, all.length, ...told.slice(renewed));
  return all.flatMap((pipeline, at) => {
    const other = told[at] ?? [];
    const isAborted = [all[at - 1], told[at - 1], pipeline, other].every((lines) => lines?.at(-1) === "Z E");
    const isRefused = pipeline.some((line) => line.includes("\\0C25P02\\0"));
    if (isAborted && isRefused && !other.some((line) => line.startsWith("C "))) return other;
    return pipeline.map((line, index) => (isSameRefusal(line, other[index] ?? "") ? (other[index] ?? "") : line));
  });
}

function isSameRefusal(heard: string, expected: string): boolean {
  return heard.startsWith("E SERROR\\0VERROR\\0C42") && expected.includes("\\0C08P01\\0Mbind message supplies");
}

/** Cut behind each ReadyForQuery. */
function pipelinesOf(lines: readonly string[]): string[][] {
  const pipelines: string[][] = [[]];
  for (const line of lines) {
    pipelines.at(-1)?.push(line);
    if (line.startsWith("Z ")) pipelines.push([]);
  }
  return pipelines;
}
