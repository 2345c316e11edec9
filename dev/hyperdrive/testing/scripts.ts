import fc from "fast-check";
import type { Bound, Script, Sent, Step, Value } from "./script.ts";
import {
  ASKING,
  BROKEN,
  CURSORS,
  LOCAL,
  NOTICES,
  READS,
  SCHEMA,
  SESSION,
  TRANSACTIONS,
  WRITES,
  WRITES_ASKING,
} from "./script-sql.ts";

/**
 * `pooled`: without what transaction pooling changes or Hyperdrive refuses. `reading`: nothing that a cache makes a
 * difference to. `dedicated`: everything.
 */
export type Range = "pooled" | "reading" | "dedicated";

type Phrase = fc.Arbitrary<Sent[]>;

const of = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const exactly = (...messages: Sent[]): Phrase => fc.constant(messages);
const from = (sqls: readonly string[]) => fc.constantFrom(...sqls);
const maybe = (phrase: Phrase): Phrase => fc.oneof(phrase, exactly());
const one = (message: fc.Arbitrary<Sent>): Phrase => message.map((sent) => [sent]);
const SYNC: Sent = ["Sync"];
const FLUSH: Sent = ["Flush"];

const statementName = of("", "", "s1", "s2", "ß");
const portalName = of("", "", "", "p1", "p2", "c");
const limit = of(0, 0, 1, 2, 100);
const close: Phrase = fc.oneof(
  { weight: 6, arbitrary: exactly(SYNC) },
  { weight: 1, arbitrary: exactly(FLUSH) },
  { weight: 1, arbitrary: exactly(FLUSH, SYNC) },
  { weight: 2, arbitrary: exactly() },
);
const value: fc.Arbitrary<Value> = of<Value>("1", "2", "0", "abc", "é", "", null, { int4: 1 }, { int4: 3 });
const formats = of<number[]>([], [], [], [0], [1], [0, 1], [1, 0]);
const rightly = of<Bound>({}, {}, { values: ["1"] }, { values: ["2", "3"] }, { values: [{ int4: 2 }], formats: [1] });
const anyhow: fc.Arbitrary<Bound> = fc.record({ values: fc.array(value, { maxLength: 3 }), formats, results: formats });
const bound = fc.oneof({ weight: 2, arbitrary: rightly }, { weight: 1, arbitrary: anyhow });
const types = of<number[]>([], [], [], [], [23], [25], [0, 23], [25, 23], [999_999]);

const parsed = (name: fc.Arbitrary<string>, sql: fc.Arbitrary<string>): Phrase =>
  one(fc.tuple(name, sql, types).map(([as, text, oids]): Sent => ["Parse", as, text, ...oids]));
const target = (kind: "Describe" | "Close"): Phrase =>
  one(
    fc.oneof(
      statementName.map((name): Sent => [kind, "S", name]),
      portalName.map((name): Sent => [kind, "P", name]),
    ),
  );
const execute = (name: fc.Arbitrary<string>): Phrase =>
  one(fc.tuple(name, limit).map(([portal, rows]): Sent => ["Execute", portal, rows]));
const joined = (...phrases: Phrase[]): Phrase => fc.tuple(...phrases).map((parts) => parts.flat());

/** One query as drivers send it, of which any part may be left out. */
function extended(sql: fc.Arbitrary<string>): Phrase {
  return fc
    .tuple(statementName, portalName, sql, bound, fc.record({ types, parse: fc.boolean(), limit, close }))
    .chain(([name, portal, text, values, rest]) => {
      const parse: Sent[] = rest.parse || name === "" ? [["Parse", name, text, ...rest.types]] : [];
      const bind: Sent[] = [["Bind", portal, name, values]];
      return joined(
        fc.constant(parse),
        maybe(exactly(["Describe", "S", name])),
        of<Sent[]>([], [], [], [FLUSH], [SYNC]),
        fc.constant(bind),
        maybe(exactly(["Describe", "P", portal])),
        exactly(["Execute", portal, rest.limit]),
        rest.limit === 0 ? exactly() : maybe(execute(fc.constant(portal))),
        fc.constant(rest.close),
      );
    });
}

/** Data for as many COPYs as the phrase begins: what follows must never be taken for data. */
const copied: Phrase = fc.oneof(
  of<Sent[]>(
    [["CopyData", "50\tfifty\t1\n51\tone more\t\\N\n"], ["CopyDone"]],
    [["CopyData", "50\tfif"], ["CopyData", "ty\t5\n"], ["CopyDone"]],
    [["CopyData", "50\ttoo few\n"], ["CopyDone"]],
    [["CopyData", "not a number\tx\t1\n"], ["CopyData", "52\tx\t1\n"], ["CopyDone"]],
    [["CopyData", "1\ttaken\t1\n"], ["CopyDone"]],
    [["CopyData", "53\tx\t1\n\\.\n"], ["CopyDone"]],
    [["CopyDone"]],
    [
      ["CopyData", "54\tx\t1\n"],
      ["CopyFail", "changed my mind"],
    ],
    [["CopyFail", "at once"]],
    [["CopyData", "55\tx\t1\n"], ["Flush"], ["CopyData", "56\ty\t1\n"], ["CopyDone"]],
  ),
);
const COPY_IN = [
  "copy t from stdin",
  "COPY t (a, b, n) FROM STDIN",
  "copy t from stdin with (freeze)",
  "copy t from stdout",
];
const COPY_OUT = [
  "copy t to stdout",
  "copy (select a, b from t order by a) to stdout (format csv, header)",
  "copy (select g, repeat('z', 100) from generate_series(1, 300) g) to stdout",
  "copy (select 1) to stdout (format binary)",
  "copy (select 1 / (a - 2) from t order by a) to stdout",
  "copy missing to stdout",
  "copy missing from stdin",
];

/**
 * By the extended protocol only under names that no other phrase uses, for else an Execute elsewhere would begin one. No
 * Sync comes early before what fails as soon as it has asked for data: Postgres answers it then, and a door does not.
 */
const copyIn: Phrase = fc.oneof(
  joined(one(from(COPY_IN).map((sql): Sent => ["Query", sql])), copied),
  joined(
    one(
      fc
        .tuple(
          of("", "begin; ", "insert into t values (60); ", "select 1/0; "),
          of("", "; select count(*) from t", "; selec"),
        )
        .map(([before, after]): Sent => ["Query", `${before}copy t from stdin${after}`]),
    ),
    copied,
  ),
  joined(exactly(["Query", "copy t from stdin; select 'between'; copy t from stdin"]), copied, copied),
  fc
    .tuple(from(COPY_IN), copied, close, fc.boolean())
    .map(([sql, data, end, isEarly]): Sent[] => [
      ["Close", "S", "copying"],
      ["Parse", "copying", sql],
      ["Bind", "copying", "copying"],
      ["Execute", "copying"],
      ...(isEarly && !sql.includes("freeze") ? [SYNC] : []),
      ...data,
      ...end,
    ]),
);

const call: Phrase = one(
  fc
    .tuple(of(177, 154, 871, 999_999), fc.array(value, { maxLength: 2 }), formats, of(0, 1))
    .map(([oid, values, given, result]): Sent => ["Call", oid, { values, formats: given, results: [result] }]),
);

/** A session's setting that the same transaction reads, and takes back. */
const undone: Phrase = fc
  .tuple(of("set datestyle = 'German'", "set timezone = 'Asia/Tokyo'"), fc.boolean())
  .map(([sql, isOne]): Sent[] =>
    isOne
      ? [["Query", `begin; ${sql}; show datestyle; select '2001-02-03'::timestamptz; rollback`]]
      : [
          ["Query", "begin"],
          ["Query", sql],
          ["Query", "show datestyle"],
          ["Query", "rollback"],
        ],
  );

const bare: Phrase = fc.oneof(
  fc.tuple(portalName, statementName, bound).map(([portal, name, values]): Sent[] => [["Bind", portal, name, values]]),
  target("Describe"),
  target("Close"),
  execute(portalName),
  exactly(SYNC),
  exactly(FLUSH),
  of<Sent[]>([["CopyDone"]], [["CopyData", "stray"]], [["CopyFail", "stray"]]),
);

/** A hit tells no notice of a function of one's own, which is cached where Cloudflare is silent. */
const isQuiet = (sql: string) => !sql.startsWith("select complain") || sql.includes("'error'");
const isReading = (sql: string) => isQuiet(sql) && !sql.startsWith("update");

function sqlOf(range: Range): fc.Arbitrary<string> {
  const some = (sqls: readonly string[]) => from(range === "reading" ? sqls.filter(isReading) : sqls);
  const common = [
    { weight: range === "reading" ? 15 : 5, arbitrary: from(READS) },
    { weight: 2, arbitrary: from(BROKEN) },
    { weight: 1, arbitrary: some(NOTICES) },
    { weight: 5, arbitrary: from(TRANSACTIONS) },
    { weight: 2, arbitrary: some(CURSORS) },
    { weight: 1, arbitrary: from(LOCAL) },
  ];
  const writing = [
    { weight: 4, arbitrary: from(WRITES) },
    { weight: 2, arbitrary: from(SCHEMA) },
  ];
  if (range === "reading") return fc.oneof(...common);
  if (range === "pooled") return fc.oneof(...common, ...writing);
  return fc.oneof(...common, ...writing, { weight: 4, arbitrary: from(SESSION) });
}

function phrasesOf(range: Range): Phrase {
  const sql = sqlOf(range);
  const asking = from(range === "reading" ? ASKING : [...ASKING, ...WRITES_ASKING]);
  const any = fc.oneof({ weight: 3, arbitrary: sql }, { weight: 2, arbitrary: asking });
  const several = fc.array(sql, { minLength: 2, maxLength: 4 }).map((sqls) => sqls.join("; "));
  const common = [
    { weight: 5, arbitrary: one(sql.map((text): Sent => ["Query", text])) },
    { weight: 2, arbitrary: one(several.map((text): Sent => ["Query", text])) },
    { weight: 8, arbitrary: extended(any) },
    { weight: 2, arbitrary: joined(parsed(statementName, any), close) },
    { weight: 4, arbitrary: bare },
    { weight: 1, arbitrary: one(from(COPY_OUT.slice(0, 6)).map((text): Sent => ["Query", text])) },
    { weight: 1, arbitrary: call },
    { weight: 1, arbitrary: undone },
  ];
  return range === "reading" ? fc.oneof(...common) : fc.oneof(...common, { weight: 2, arbitrary: copyIn });
}

/** Random scripts of well-formed messages. */
export function scriptsOf(range: Range): fc.Arbitrary<Script> {
  const step: fc.Arbitrary<Step> = fc
    .tuple(fc.array(phrasesOf(range), { minLength: 1, maxLength: 4 }), fc.boolean(), fc.integer({ min: 0, max: 5 }))
    .map(([phrases, waits, crowd]) => ({ send: phrases.flat(), waits, ...(crowd === 5 ? { crowds: true } : {}) }));
  return fc.array(step, { minLength: 1, maxLength: 6 });
}
