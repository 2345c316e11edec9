export type Settings = ReadonlyMap<string, string>;

/** What sets clients apart in how their SQL is understood: user and startup settings, the name of the program aside. */
export function scopeOf(user: string, settings: Settings): string {
  return JSON.stringify([user, [...settings].filter(([name]) => name !== "application_name").sort()]);
}

/** SQL, one statement each, for those settings of a startup packet that the origin does not have by itself. */
export function settingsSql(settings: Settings, parameters: Settings): string[] {
  const present = new Map([...parameters].map(([name, value]) => [name.toLowerCase(), value]));
  return [...settings]
    .filter(([name, value]) => !isSame(name, value, present.get(name)))
    .map(([name, value]) => settingSql(name, value));
}

/** One statement that sets one setting for the session. */
export function settingSql(name: string, value: string): string {
  // SET is cheaper, but would take a list such as a search_path for one name.
  if (name === "application_name") return `SET application_name TO ${literal(value)}`;
  return `SELECT pg_catalog.set_config(${literal(name)}, ${literal(value)}, false)`;
}

function isSame(name: string, wanted: string, present: string | undefined): boolean {
  if (present === undefined) return name === "application_name" && wanted === "";
  if (name !== "client_encoding") return wanted === present;
  const plain = (encoding: string) => encoding.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return plain(wanted) === plain(present);
}

/** Whether the origin may refuse later what it has taken once, as a role that has been taken away. */
export function mayBeRefused(sql: string): boolean {
  return /^SELECT pg_catalog\.set_config\('(?:role|session_authorization)'/i.test(sql);
}

/** The same constant whatever standard_conforming_strings says. */
function literal(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return value.includes("\\") ? `E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}
