import { beforeAll, describe, expect, it } from "vitest";
import { withoutComments } from "../sql/text.ts";
import { Cacheability, PROFILES } from "./cacheability.ts";
import { FunctionTable } from "./volatility.ts";

const functions = new FunctionTable();
functions.load([
  ["now", "true", "s"],
  ["lower", "true", "i"],
  ["date", "true", "is"],
  ["count", "true", "i"],
  ["json_agg", "true", "s"],
  ["my_secret", "false", "v"],
  ["my_sum", "false", "i"],
]);
let paranoid: Cacheability;
let strict: Cacheability;

beforeAll(async () => {
  paranoid = await Cacheability.create(PROFILES.paranoid, functions);
  strict = await Cacheability.create(PROFILES["strict-docs"], functions);
});

function statusOf(sql: string, judge = paranoid): string {
  const verdict = judge.judge(sql);
  return verdict.isCacheable ? "cacheable" : verdict.status;
}

describe("cacheability", () => {
  it.each([
    ["select * from articles where date(published) = $1 order by published desc limit 50", "cacheable"],
    ["values (1), (2)", "cacheable"],
    ["table articles", "cacheable"],
    ["with a as (select 1) select * from a", "cacheable"],
    ["select lower(name), count(*) from post group by 1 union select 'a', 1", "cacheable"],
    ['select "now", knows from post where nowhere = 1', "cacheable"],
    ["select * from events where created_at > NOW() - interval '1 hour'", "volatile"],
    ["select lastval(), * from articles", "volatile"],
    ["select current_date", "volatile"],
    ["select * from a order by random()", "volatile"],
    ["select 1 /* was: now() */", "volatile"],
    ["select 1 -- CURRENT_TIMESTAMP", "volatile"],
    ["select json_agg(a) from a", "volatile"],
    ["select user", "volatile"],
    ["insert into a values (1)", "uncacheable"],
    ["update a set b = 1 returning *", "uncacheable"],
    ["with a as (delete from b returning *) select * from a", "uncacheable"],
    ["select * from a for update", "uncacheable"],
    ["select * from (select * from a for share skip locked) b", "uncacheable"],
    ["select * into b from a", "uncacheable"],
    ["begin", "notaquery"],
    ["show timezone", "notaquery"],
    ["create table a (b int)", "notaquery"],
    ["explain select 1", "notaquery"],
    ["", "notaquery"],
    ["-- nothing", "notaquery"],
    ["select 1; select 2", "multiplestatements"],
    ["selec 1", "parseerror"],
    [`select '${"x".repeat(1024 * 1024)}'`, "oversizedquery"],
  ])("judges %.60s: %s", (sql, status) => {
    expect(statusOf(sql)).toBe(status);
    expect(statusOf(sql, strict)).toBe(status);
  });

  it("says why", () => {
    expect(paranoid.judge("select now()")).toMatchObject({ reason: "Postgres marks now() as stable" });
    expect(paranoid.judge("select 1 /* now() */")).toMatchObject({
      reason: "the text names now, if only in a comment or a constant",
    });
    expect(paranoid.judge("selec")).toMatchObject({ reason: 'syntax error at or near "selec"' });
  });

  it("doubts functions of one's own, and does not cache them by the letter of the documentation", () => {
    const sql = "select public.my_secret()";
    expect(paranoid.judge(sql)).toMatchObject({ isCacheable: true, doubt: expect.stringContaining("marked volatile") });
    expect(statusOf(sql, strict)).toBe("volatile");
    expect(strict.judge("select my_sum(1)")).toEqual({ isCacheable: true });
    expect(paranoid.judge("select made_since()")).toMatchObject({ doubt: expect.stringContaining("nobody knows") });
  });
});

describe("withoutComments", () => {
  it.each([
    ["select 1 /* a /* nested */ b */ + 1 -- end", "select 1   + 1"],
    ["select '--x', '/*', \"a--b\", $$--$$, $a$/*$$*/$a$ --", "select '--x', '/*', \"a--b\", $$--$$, $a$/*$$*/$a$"],
    ["select 1 /* open", "select 1"],
    ["select $1, a$1 --x\n, 2", "select $1, a$1  \n, 2"],
  ])("strips %s", (sql, plain) => {
    expect(withoutComments(sql)).toBe(plain);
  });

  it.each(["select 'a\\' -- x'", "select e'\\' -- x'", "select e'\x95\\' -- x"])("leaves %s as it is", (sql) => {
    expect(withoutComments(sql)).toBe(sql);
  });
});
