import { randomUUID } from "node:crypto";
import { is, Table } from "drizzle-orm";
import { expect, expectTypeOf, test } from "vitest";
import type { z } from "zod";
import { type NewUser, schema, type User } from "./index.ts";
import * as schemas from "./zod.ts";
import { insertResumeSchema, insertUserSchema, type selectUserSchema, updateUserSchema } from "./zod.ts";

const capital = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

test("every table has its three schemas", () => {
  const tables = Object.entries(schema).flatMap(([name, value]) => (is(value, Table) ? [capital(name)] : []));
  const wanted = tables.flatMap((name) => [`insert${name}Schema`, `select${name}Schema`, `update${name}Schema`]);
  expect(Object.keys(schemas).sort()).toEqual(wanted.sort());
});

test("their types are the rows' own", () => {
  expectTypeOf<z.infer<typeof selectUserSchema>>().toEqualTypeOf<User>();
  expectTypeOf<z.infer<typeof insertUserSchema>>().toExtend<NewUser>();
  expect(updateUserSchema.parse({})).toEqual({});
});

test("an id is a string, an enumeration one of its values, a document a résumé", () => {
  const person = { name: "Somebody", email: `${randomUUID()}@example.com` };
  expect(insertUserSchema.safeParse(person).success).toBe(true);
  expect(insertUserSchema.safeParse({ ...person, id: 1 }).success).toBe(false);
  expect(insertUserSchema.safeParse({ ...person, role: "root" }).success).toBe(false);
  const resume = { userId: "user_x", userEmail: person.email, name: "One", slug: "one", publicData: {} };
  expect(insertResumeSchema.safeParse({ ...resume, data: { basics: { name: "Somebody" } } }).success).toBe(true);
  expect(insertResumeSchema.safeParse({ ...resume, data: { basics: { name: 1 } } }).success).toBe(false);
});
