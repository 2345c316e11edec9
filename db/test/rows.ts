import type { Query } from "../scripts/catalogue.ts";

interface Column {
  table: string;
  name: string;
  type: string;
  /** A row must have it. */
  required: boolean;
  /** The column that it refers to, with its table. */
  refers: { table: string; column: string } | null;
}

interface Violation extends Error {
  code: string;
  constraint?: string;
  constraint_name?: string;
}

const columnsSql = `
  select c.relname as "table", a.attname as name, format_type(a.atttypid, null) as type,
    a.attnotnull as required, (
      select json_build_object('table', k.confrelid::regclass::text, 'column', f.attname)
      from pg_constraint k join unnest(k.conkey, k.confkey) as pair (own, other) on pair.own = a.attnum
      join pg_attribute f on f.attrelid = k.confrelid and f.attnum = pair.other
      where k.conrelid = c.oid and k.contype = 'f' order by array_length(k.conkey, 1) desc, k.conname limit 1
    ) as refers
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and not a.atthasdef and a.attgenerated = '' and a.attidentity = ''
  order by 1, a.attnum`;

const checkSql = `
  select a.attname as name, pg_get_constraintdef(k.oid) as definition
  from pg_constraint k join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any(k.conkey)
  where k.conname = $1 and k.conrelid = $2::regclass`;

/** Values to try, one after the other, where a check refuses the first. */
const texts = (n: number) => [
  `sample-${n}`,
  "VND",
  `sample-${n}@example.com`,
  "https://example.com/",
  "08:30",
  "a".repeat(64),
  `sample_${n}`,
  String(n).padStart(4, "0"),
  String(n).padStart(43, "0"),
];
const numbers = (n: number) => [n, 1, 100];

function candidates(type: string, n: number): unknown[] {
  if (/int|numeric|double|real/.test(type)) return numbers(n);
  if (type.startsWith("timestamp")) return ["2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"];
  if (type === "date") return ["2026-01-01", "2026-01-05", "2026-01-31"];
  if (type.startsWith("time")) return ["08:30"];
  if (type === "boolean") return [true, false];
  if (type.endsWith("[]")) return ["{}", "{sample}"];
  if (type.startsWith("json")) return ["{}", "[]"];
  if (type === "uuid") return [`00000000-0000-7000-8000-${String(n).padStart(12, "0")}`];
  if (type === "bytea") return ["\\x00"];
  return texts(n);
}

/**
 * Puts one more row into every table, with what it must have and no more: `n` makes it another one than those before.
 * @returns the tables that have a row now.
 * @throws naming the table whose rules none of the values meet.
 */
export async function fillTables(query: Query, n: number): Promise<string[]> {
  // What the query answers has these columns: it names them.
  const columns = (await query(columnsSql, [])) as unknown as Column[];
  const rows = await query(
    "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
    [],
  );
  const waiting = rows.map(({ relname }) => String(relname));
  const done: string[] = [];
  while (waiting.length > 0) {
    const isReady = (table: string) =>
      columns.every(({ table: of, refers, required }) => {
        const target = unquoted(refers?.table ?? "");
        return of !== table || !refers || done.includes(target) || (!required && target === table);
      });
    const next = waiting.findIndex(isReady);
    const [table] = waiting.splice(next, 1);
    if (!table || next < 0) throw new Error(`these tables refer to each other: ${waiting.join(", ")}, ${table}`);
    await fillTable(query, table, [columns.filter((column) => column.table === table), n]);
    done.push(table);
  }
  return done;
}

function unquoted(name: string): string {
  return name.replaceAll('"', "");
}

async function fillTable(query: Query, table: string, [columns, n]: [Column[], number]): Promise<void> {
  const values = new Map<string, { options: unknown[]; chosen: number }>();
  const optionsOf = async ({ type, refers }: Column) =>
    refers ? [await referred(query, refers)] : candidates(type, n);
  for (const column of columns.filter(({ required }) => required)) {
    values.set(column.name, { options: await optionsOf(column), chosen: 0 });
  }
  for (let attempt = 0; attempt < 40; attempt++) {
    const names = [...values.keys()];
    const places = names.map((_, index) => `$${index + 1}`);
    const into =
      names.length > 0
        ? `(${names.map((name) => `"${name}"`).join(", ")}) values (${places.join(", ")})`
        : "default values";
    const parameters = [...values.values()].map(({ options, chosen }) => options[chosen]);
    try {
      await query(`insert into "${table}" ${into}`, parameters);
      return;
    } catch (error) {
      if (!isViolation(error)) throw error;
      // A table with one row for each of another's has it already.
      if (error.code === "23505" && n > 1) return;
      if (error.code !== "23514") throw error;
      const missing = await chooseOther(query, [table, error.constraint_name ?? error.constraint ?? ""], values);
      const column = columns.find(({ name }) => name === missing);
      if (column) values.set(column.name, { options: await optionsOf(column), chosen: 0 });
    }
  }
  throw new Error(`no row for ${table}: give db/test/rows.ts a value that its checks take`);
}

type Values = Map<string, { options: unknown[]; chosen: number }>;

/**
 * Takes the next value, or the first of those that the check lists, for a column that it speaks of.
 * @returns the column that is still to be filled, when the check speaks of none that is.
 */
async function chooseOther(
  query: Query,
  [table, constraint]: [string, string],
  values: Values,
): Promise<string | undefined> {
  const checked = await query(checkSql, [constraint, `"${table}"`]);
  for (const { name, definition } of checked) {
    const value = values.get(String(name));
    if (!value) continue;
    const listed = [...String(definition).matchAll(/'([^']*)'::text/g)].map(([, text]) => text);
    if (/= ANY/.test(String(definition)) && listed.length > 0) value.options = listed;
    value.chosen = (value.chosen + 1) % value.options.length;
    return undefined;
  }
  const [first] = checked;
  if (!first) throw new Error(`no row for ${table}: give db/test/rows.ts a value that ${constraint} takes`);
  return String(first.name);
}

async function referred(query: Query, { table, column }: { table: string; column: string }): Promise<unknown> {
  const rows = await query(`select "${column}" as value from ${table} order by ctid desc limit 1`, []);
  return rows[0]?.value;
}

function isViolation(error: unknown): error is Violation {
  return error instanceof Error && "code" in error;
}
