import type { Session } from "../pool/session.ts";
import { query, SERVER } from "../wire/protocol.ts";
import { settingSql } from "./settings.ts";

const CHANGED = `
  SELECT name, setting FROM pg_catalog.pg_settings WHERE source = 'session'
  UNION ALL
  SELECT 'role', pg_catalog.current_setting('role') WHERE pg_catalog.current_setting('role') <> 'none'`;

/**
 * SQL that brings back what a tool has SET, for its next loan of a session it shares: scripts of psql and dumps rely on it.
 * Settings with a dot in their name are not listed by Postgres, and not kept. Null when the session fails.
 */
export function keptSettings(session: Session): Promise<string[] | null> {
  const capture: Buffer[] = [];
  return new Promise((resolve) => {
    session.send(query(CHANGED), {
      kind: "query",
      internal: true,
      capture,
      done: () => resolve(readRows(Buffer.concat(capture)).map(([name, value]) => settingSql(name, value))),
      failed: () => resolve(null),
    });
    session.flush();
  });
}

function readRows(answer: Buffer): [string, string][] {
  const rows: [string, string][] = [];
  for (let at = 0; at + 5 <= answer.length; at += 1 + answer.readInt32BE(at + 1)) {
    if (answer[at] !== SERVER.dataRow) continue;
    const nameSize = answer.readInt32BE(at + 7);
    const valueAt = at + 11 + nameSize;
    const valueSize = answer.readInt32BE(valueAt);
    const name = answer.toString("utf8", at + 11, valueAt);
    rows.push([name, answer.toString("utf8", valueAt + 4, valueAt + 4 + Math.max(0, valueSize))]);
  }
  return rows;
}
