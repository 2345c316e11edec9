/** Start of each entry of a dump, with its name, kind and schema. */
const entryStart = /^(?=--\n-- Name: .*; Type: .*; Schema: .*; Owner: )/m;
const schemaOwner = /^ALTER SCHEMA .* OWNER TO .*;\n/m;
const entryHead = /^--\n-- Name: .*; Type: ([^;]*); Schema: ([^;]*); Owner: /;

/**
 * A dump's definitions as another owner can run them: what belonged to `owner` belongs to whoever runs them, and what
 * belonged to another role is given to it, for which a role other than a superuser needs CREATE on the schema for a moment.
 */
export function portable(dump: string, owner: string): string {
  return dump
    .replaceAll(/^\\(?:un)?restrict .*\n/gm, "")
    .split(entryStart)
    .map((entry) => {
      const [, kind = "", schema = ""] = entry.match(entryHead) ?? [];
      if (kind === "SCHEMA")
        return entry.replace(/^CREATE SCHEMA /m, "CREATE SCHEMA IF NOT EXISTS ").replace(schemaOwner, "");
      return withOwner(kind.endsWith("ACL") ? withGrants(entry, owner) : entry, { owner, schema });
    })
    .join("");
}

function withOwner(entry: string, { owner, schema }: { owner: string; schema: string }): string {
  return entry.replace(/^ALTER .* OWNER TO (.*);\n(?=\s*$)/m, (statement, role: string) => {
    if (unquoted(role) === owner) return "";
    if (schema === "-") return statement;
    return `GRANT CREATE ON SCHEMA ${schema} TO ${role};\n${statement}REVOKE CREATE ON SCHEMA ${schema} FROM ${role};\n`;
  });
}

function withGrants(entry: string, owner: string): string {
  const role = `(?:${owner}|"${owner.replaceAll('"', '""')}")`;
  return entry.replaceAll(
    new RegExp(`^((?:GRANT|REVOKE) .* (?:TO|FROM) )${role}(?=;| WITH GRANT)`, "gm"),
    "$1CURRENT_USER",
  );
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
