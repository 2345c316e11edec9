import { CLIENT, frame, int16, int32, text } from "../wire/protocol.ts";

/** A parameter: text, null, or four bytes of binary. */
export type Value = string | null | { int4: number };

export interface Bound {
  values?: Value[];
  /** Formats of parameters and of results: none, one for all, or one each. */
  formats?: number[];
  results?: number[];
}

/** One frontend message as data, so that a script can be printed, shrunk and kept as a case. */
export type Sent =
  | ["Query", string]
  | ["Parse", string, string, ...number[]]
  | ["Bind", string, string, Bound?]
  | ["Describe" | "Close", "S" | "P", string]
  | ["Execute", string, number?]
  | ["Call", number, Bound]
  | ["CopyData" | "CopyFail", string]
  | ["CopyDone" | "Flush" | "Sync"];

export interface Step {
  send: Sent[];
  /** The answers are waited for before the next step. */
  waits?: boolean;
  /** Before it, somebody else takes or gives back a session of the pool. */
  crowds?: boolean;
}

export type Script = readonly Step[];

/** The bytes of a message. */
export function encode(message: Sent): Buffer {
  switch (message[0]) {
    case "Query":
      return frame(CLIENT.query, text(message[1]));
    case "Parse": {
      const [, name, sql, ...types] = message;
      return frame(CLIENT.parse, text(name), text(sql), int16(types.length), ...types.map(int32));
    }
    case "Bind":
      return frame(CLIENT.bind, text(message[1]), text(message[2]), ...boundParts(message[3] ?? {}));
    case "Describe":
      return frame(CLIENT.describe, message[1], text(message[2]));
    case "Close":
      return frame(CLIENT.close, message[1], text(message[2]));
    case "Execute":
      return frame(CLIENT.execute, text(message[1]), int32(message[2] ?? 0));
    case "Call":
      return frame(CLIENT.functionCall, int32(message[1]), ...argumentParts(message[2]));
    case "CopyData":
      return frame(CLIENT.copyData, Buffer.from(message[1]));
    case "CopyFail":
      return frame(CLIENT.copyFail, text(message[1]));
    case "CopyDone":
      return frame(CLIENT.copyDone);
    case "Flush":
      return frame(CLIENT.flush);
    case "Sync":
      return frame(CLIENT.sync);
  }
}

/** Whether a message earns a ReadyForQuery, unless an error or a COPY has it ignored. */
export function endsInReady([kind]: Sent): boolean {
  return kind === "Query" || kind === "Call" || kind === "Sync";
}

function boundParts(bound: Bound): Buffer[] {
  return [...valueParts(bound), ...formatParts(bound.results ?? [])];
}

function argumentParts(bound: Bound): Buffer[] {
  return [...valueParts(bound), int16(bound.results?.[0] ?? 0)];
}

function valueParts({ values = [], formats = [] }: Bound): Buffer[] {
  const parts = values.flatMap((value) => {
    if (value === null) return [int32(-1)];
    const bytes = typeof value === "string" ? Buffer.from(value) : int32(value.int4);
    return [int32(bytes.length), bytes];
  });
  return [...formatParts(formats), int16(values.length), ...parts];
}

function formatParts(formats: number[]): Buffer[] {
  return [int16(formats.length), ...formats.map(int16)];
}
