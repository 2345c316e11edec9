import { describe, expect, it } from "vitest";
import { settingsSql } from "./client/settings.ts";
import { StatementTable } from "./pool/statements.ts";
import { copiesIn, refusal } from "./sql/restrictions.ts";
import { scanSql } from "./sql/scan.ts";
import { FrameReader } from "./wire/frame-reader.ts";
import { query } from "./wire/protocol.ts";
import { ScramClient, ScramServer, ScramVerifier } from "./wire/scram.ts";

describe("scanSql", () => {
  const words = (sql: string) => scanSql(sql).map((statement) => statement.words.join(" "));

  it.each([
    ["select 1; select 2", ["select", "select"]],
    [" ;; ", []],
    ["-- listen x\nselect 1", ["select"]],
    ["/* a /* nested */ comment; */ Select 1", ["select"]],
    ["select 'it''s; fine'; update t", ["select", "update t"]],
    ["select E'a\\'; b', 'c\\'; begin", ["select", "begin"]],
    ['select "a""b;c" from t', ['select a"b;c from t']],
    ["do $x$ begin; end $x$; select $1", ["do", "select"]],
    ["select $$;$$, a$b from t", ["select a$b from t"]],
    ["select 1 as e; listen e", ["select as e", "listen e"]],
    ["select E'a' -- ; 'b'\n\t'\\''; listen e", ["select", "listen e"]],
    ["select E'a' '\\'; listen e", ["select", "listen e"]],
    [`select E'a'${" -- ".repeat(1000)}`, ["select"]],
  ])("splits %s", (sql, expected) => {
    expect(words(sql)).toEqual(expected);
  });
});

describe("refusal", () => {
  it.each([
    "listen a",
    "/* x */ NOTIFY a",
    "select 1; unlisten *",
    "prepare p as select 1",
    "execute p",
    "deallocate all",
    "discard all",
    "select pg_advisory_xact_lock(1)",
    'select "pg_try_advisory_lock"(1)',
  ])("refuses %s", (sql) => {
    expect(refusal(sql)?.code).toBe("0A000");
  });

  it.each([
    "select 'listen'",
    "select 1 -- discard all",
    "do $$ begin execute 'select 1'; end $$",
    "select notify from listen",
    "insert into t values ('pg_advisory_lock(1)')",
  ])("lets pass %s", (sql) => {
    expect(refusal(sql)).toBeNull();
  });
});

describe("copiesIn", () => {
  it.each([
    ["copy t from stdin", "alone"],
    ["COPY t (a, b) FROM STDIN WITH (format csv)", "alone"],
    ["copy t from/**/stdout", "alone"],
    ["copy t from stdin; select 1", "among others"],
    ["copy t to stdout", "no"],
    ["select 'copy t from stdin'", "no"],
    ["copy t from '/tmp/stdin'", "no"],
    ["select E'a' -- b\n 'c\\''; copy t from stdin; --'", "among others"],
    ["select '\\''; copy t from stdin; --'", "among others"],
    ["copy t from stdin null '\\''; copy t from stdin; --'", "among others"],
    ["copy t from stdin null '\\N'", "alone"],
    ["copy t from stdin (format csv, escape '\\', delimiter ';', null 'x')", "alone"],
  ])("%s: %s", (sql, expected) => {
    expect(copiesIn(sql)).toBe(expected);
  });
});

describe("FrameReader", () => {
  it("finds the same messages however they are cut", () => {
    const messages = ["select 1", "", "x".repeat(1000)].map(query);
    const bytes = Buffer.concat(messages);
    for (const size of [1, 2, 3, 7, 100, bytes.length]) {
      const reader = new FrameReader(10_000);
      const found: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        reader.push(bytes.subarray(at, at + size));
        for (let next = reader.next(); next !== null; next = reader.next()) found.push(next);
      }
      expect(found).toEqual(messages);
      expect(reader.buffered).toBe(0);
    }
  });

  it("refuses what is too long before it has arrived", () => {
    const reader = new FrameReader(100);
    reader.push(query("x".repeat(200)).subarray(0, 5));
    expect(() => reader.next()).toThrow(/over the limit/);
  });
});

describe("SCRAM", () => {
  const exchange = (known: string, given: string) => {
    const server = new ScramServer(new ScramVerifier(known));
    const client = new ScramClient(given);
    const challenge = server.challenge(client.first());
    if (challenge === null) return null;
    const final = server.verify(client.final(challenge));
    return final === null ? null : client.confirms(final);
  };

  it("knows the right password from a wrong one", () => {
    expect(exchange("sésame", "sésame")).toBe(true);
    expect(exchange("sésame", "sesame")).toBeNull();
  });

  it("refuses channel binding and nonsense", () => {
    const server = new ScramServer(new ScramVerifier("x"));
    expect(server.challenge("p=tls-unique,,n=,r=abc")).toBeNull();
    expect(server.challenge("hello")).toBeNull();
    expect(server.verify("c=biws,r=abc")).toBeNull();
  });
});

describe("a SCRAM client", () => {
  it.each(["0", "-1", "1000001", "2147483647", "x", ""])("derives no key with %j iterations", (iterations) => {
    const client = new ScramClient("x");
    const nonce = client.first().slice("n,,n=,".length);
    expect(() => client.final(`${nonce}more,s=eA==,i=${iterations}`)).toThrow("invalid SCRAM challenge");
  });
});

describe("settingsSql", () => {
  it("leaves out what the origin has by itself", () => {
    const parameters = new Map([
      ["client_encoding", "UTF8"],
      ["TimeZone", "UTC"],
    ]);
    const settings = new Map([
      ["client_encoding", "utf-8"],
      ["timezone", "UTC"],
      ["application_name", "it's"],
      ["search_path", "a, b"],
    ]);
    expect(settingsSql(settings, parameters)).toEqual([
      "SET application_name TO 'it''s'",
      "SELECT pg_catalog.set_config('search_path', 'a, b', false)",
    ]);
  });
});

describe("StatementTable", () => {
  it("shares within a scope and forgets the oldest", () => {
    const table = new StatementTable(2);
    const tail = (sql: string) => Buffer.from(`${sql}\0\0\0`);
    const first = table.share("a", "one", tail("one"));
    expect(table.share("a", "one", tail("one"))).toBe(first);
    expect(table.share("b", "one", tail("one"))).not.toBe(first);
    expect(table.findAccepted("a", tail("one"))).toBeNull();
    first.accepted = true;
    expect(table.findAccepted("a", tail("one"))).toBe(first);
    table.share("a", "two", tail("two"));
    table.share("a", "three", tail("three"));
    expect(table.findAccepted("a", tail("one"))).toBeNull();
  });
});
