import { type Bytes, frame, SERVER, text } from "./protocol.ts";

export interface ErrorFields {
  severity: "ERROR" | "FATAL";
  /** SQLSTATE, five characters. */
  code: string;
  message: string;
  detail?: string;
  hint?: string;
  routine?: string;
}

/** An error as Postgres reports it: what a client gets to see. */
export class WireError extends Error {
  readonly fields: ErrorFields;

  constructor(fields: ErrorFields) {
    super(fields.message);
    this.name = "WireError";
    this.fields = fields;
  }

  get code(): string {
    return this.fields.code;
  }

  /** The ErrorResponse message. */
  encode(): Buffer {
    const { severity, code, message, detail, hint, routine } = this.fields;
    const field = (tag: string, value: string | undefined) =>
      value === undefined ? Buffer.alloc(0) : text(`${tag}${value}`);
    return frame(
      SERVER.error,
      field("S", severity),
      field("V", severity),
      field("C", code),
      field("M", message),
      field("D", detail),
      field("H", hint),
      field("R", routine),
      Buffer.of(0),
    );
  }
}

/** Reads an ErrorResponse of the origin. */
export function decodeError(message: Buffer): WireError {
  const fields = new Map<string, string>();
  for (const part of message.toString("utf8", 5).split("\0")) {
    if (part.length > 1) fields.set(part.charAt(0), part.slice(1));
  }
  return new WireError({
    severity: (fields.get("V") ?? fields.get("S")) === "ERROR" ? "ERROR" : "FATAL",
    code: fields.get("C") ?? "XX000",
    message: fields.get("M") ?? "unknown error of the origin",
    ...optional("detail", fields.get("D")),
    ...optional("hint", fields.get("H")),
    ...optional("routine", fields.get("R")),
  });
}

function optional(name: "detail" | "hint" | "routine", value: string | undefined): Partial<ErrorFields> {
  return value === undefined ? {} : { [name]: value };
}

export function protocolViolation(message: string): WireError {
  return new WireError({ severity: "FATAL", code: "08P01", message });
}

export function fatal(code: string, message: string): WireError {
  return new WireError({ severity: "FATAL", code, message });
}

/** No session became free in time. Hyperdrive's own words. */
export function acquireTimeout(): WireError {
  return fatal("58000", "Failed to acquire a connection from the pool.");
}

/** The origin could not be reached. Hyperdrive's own words. */
export function connectFailed(reason: string): WireError {
  return fatal("58000", `Server connection attempt failed: ${reason}`);
}

export function connectionLost(): WireError {
  return fatal("08006", "The origin closed the connection.");
}

export function cancelled(): WireError {
  return new WireError({ severity: "ERROR", code: "57014", message: "canceling statement due to user request" });
}

export function shuttingDown(): WireError {
  return fatal("57P01", "terminating connection due to administrator command");
}

/** `name`: its bytes, as in the message. */
export function duplicateStatement(name: Bytes): WireError {
  return statementError("42P05", `prepared statement "${shown(name)}" already exists`, "StorePreparedStatement");
}

/** `name`: its bytes, as in the message. */
export function noStatement(name: Bytes): WireError {
  return statementError("26000", `prepared statement "${shown(name)}" does not exist`, "FetchPreparedStatement");
}

/** What Postgres says when a prepared statement would answer other columns than before; drivers know it by its routine. */
export function changedResult(): WireError {
  return statementError("0A000", "cached plan must not change result type", "RevalidateCachedQuery");
}

function shown(name: Bytes): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

function statementError(code: string, message: string, routine: string): WireError {
  return new WireError({ severity: "ERROR", code, message, routine });
}
