import type { Answer } from "../pool/answer.ts";
import {
  type ParseMessage,
  readBind,
  readExecute,
  readParse,
  readTarget,
  writeBind,
  writeParse,
  writeTarget,
} from "../wire/messages.ts";
import { type Bytes, CLIENT, frame, int32, readyForQuery, SERVER, STATUS, text } from "../wire/protocol.ts";
import type { KeyParts } from "./cache.ts";

/** Orders of messages that one query by the extended protocol may come in; a beginning of one is kept until its Sync. */
const BEGINNING = /^P?(?:B(?:D?(?:ES?)?)?)?$/;
const NO_TYPES = Buffer.alloc(2);
const EXECUTE_ALL = frame(CLIENT.execute, text(""), int32(0));
const DESCRIBE_PORTAL = writeTarget(CLIENT.describe, "portal", "");
const SYNC = frame(CLIENT.sync);
const PARSE_COMPLETE = frame(SERVER.parseComplete);
const BIND_COMPLETE = frame(SERVER.bindComplete);
const READY = readyForQuery(STATUS.idle);

/** What a flight asks, read from its messages. */
export interface Flight {
  parse: ParseMessage | null;
  /** Name of the statement that it binds. */
  statement: Bytes;
  /** Formats and values, as in Bind. */
  bound: Buffer;
  isDescribed: boolean;
}

/** Where the parts of a statement's text come from. */
export interface StatementText {
  sql: Bytes;
  /** SQL and parameter types, as in Parse. */
  tail: Buffer;
}

export function isBeginning(letters: string): boolean {
  return BEGINNING.test(letters);
}

/** Reads a whole flight; null when it is not one query whose whole result is asked for, through unnamed portals. */
export function readFlight(messages: readonly Buffer[]): Flight | null {
  const of = (type: number) => messages.find((message) => message[0] === type);
  const [parse, bind, describe, execute] = [of(CLIENT.parse), of(CLIENT.bind), of(CLIENT.describe), of(CLIENT.execute)];
  if (bind === undefined || execute === undefined || !runsAll(execute)) return null;
  const { portal, statement, tail } = readBind(bind);
  const target = describe === undefined ? null : readTarget(describe);
  if (portal !== "" || (target !== null && (target.target !== "portal" || target.name !== ""))) return null;
  const parsed = parse === undefined ? null : readParse(parse);
  if (parsed !== null && parsed.name !== statement) return null;
  return { parse: parsed, statement, bound: tail, isDescribed: describe !== undefined };
}

/** Whether an Execute runs the unnamed portal to its end. */
export function runsAll(execute: Buffer): boolean {
  return readExecute(execute) === "" && execute.readInt32BE(execute.length - 4) === 0;
}

/** The same query as one flight that needs nothing prepared. */
export function selfContained({ tail }: StatementText, bound: Buffer): Buffer[] {
  const bind = writeBind({ portal: "", statement: "", tail: bound });
  return [writeParse("", tail), bind, DESCRIBE_PORTAL, EXECUTE_ALL, SYNC];
}

/** What the server would answer to the flight, given the answer to its query. */
export function composed({ description, rows, complete }: Answer, { parse, isDescribed }: Flight): Buffer {
  return Buffer.concat([
    ...(parse === null ? [] : [PARSE_COMPLETE]),
    BIND_COMPLETE,
    ...(isDescribed && description !== null ? [description] : []),
    rows,
    complete,
    READY,
  ]);
}

/** What tells the query from others, the user and the database aside. */
export function keyOf({ sql, tail }: StatementText, bound: Buffer): Omit<KeyParts, "user" | "database"> {
  return { sql, types: tail.subarray(sql.length + 1), bound };
}

export function simpleKey(sql: Bytes): Omit<KeyParts, "user" | "database"> {
  return { sql, types: NO_TYPES, bound: Buffer.from("simple") };
}
