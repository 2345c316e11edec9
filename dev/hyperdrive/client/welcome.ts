import { type CancelKey, frame, int32, parameterStatus, readyForQuery, SERVER, STATUS } from "../wire/protocol.ts";
import type { Greeting } from "./startup.ts";

const NAMES =
  "application_name client_encoding DateStyle IntervalStyle TimeZone search_path standard_conforming_strings".split(
    " ",
  );
const REPORTED = new Map(NAMES.map((name) => [name.toLowerCase(), name]));

/** The end of a startup: `parameters` are the origin's, of which some are as the client has asked. */
export function welcome(greeting: Greeting, parameters: ReadonlyMap<string, string>, key: CancelKey): Buffer {
  const reported = new Map(parameters);
  for (const [name, value] of greeting.settings) {
    const known = REPORTED.get(name);
    if (known !== undefined) reported.set(known, value);
  }
  reported.set("session_authorization", greeting.user);
  return Buffer.concat([
    frame(SERVER.authentication, int32(0)),
    ...[...reported].map(([name, value]) => parameterStatus(name, value)),
    frame(SERVER.backendKey, int32(key.processId), int32(key.secret)),
    readyForQuery(STATUS.idle),
  ]);
}
