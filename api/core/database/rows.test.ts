import { resume, sql, user } from "@repo/db";
import { describe, expect, test } from "vitest";
import { drizzleOver } from "./doors.ts";
import { one, qualified } from "./rows.ts";

test("one gives the only row, and says so where there is none", () => {
  expect(one([{ id: 1 }])).toEqual({ id: 1 });
  expect(() => one([])).toThrow("the statement gave no row");
});

describe("in the select list of a single table", () => {
  const resumes = sql<number>`(select count(*) from ${resume} where ${resume.userId} = ${user.id})`;
  const db = drizzleOver({ query: undefined });
  const rendered = (expression: typeof resumes) => db.select({ expression }).from(user).toSQL().sql;

  test("a qualified expression names the table of each column", () => {
    expect(rendered(qualified(resumes))).toBe(
      'select (select count(*) from "resume" where "resume"."user_id" = "user"."id") from "user"',
    );
  });

  // Once Drizzle names them by itself, `qualified` has had its day.
  test("another does not: inside the subselect, names mean the inner table's columns", () => {
    expect(rendered(resumes)).toBe('select (select count(*) from "resume" where "user_id" = "id") from "user"');
  });
});
