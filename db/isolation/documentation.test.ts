import { randomUUID } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { user } from "@repo/db";
import { connect, type RlsRole } from "@repo/db/client";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { dbFolder } from "../scripts/paths.ts";
import { isolations } from "./suite/isolations.ts";
import { tableName } from "./suite/rows.ts";
import { north, userOf } from "./suite/world.ts";

const page = readFileSync(join(dbFolder, "../docs/row-level-security.md"), "utf8");

interface Routes {
  app: { request(path: string): Promise<Response> };
  close(): Promise<void>;
}
type MakeRoutes = (url: string, identify: () => Promise<{ userId: string; role: RlsRole } | null>) => Routes;

describe("the route that the guide prints", () => {
  const file = join(dbFolder, `.printed-${randomUUID()}.ts`);
  const owner = connect(inject("owner"));
  let userRoutes: MakeRoutes;

  beforeAll(async () => {
    writeFileSync(file, page.match(/^```ts\n([\s\S]*?)^```/m)?.[1] ?? "");
    ({ userRoutes } = (await import(file)) as { userRoutes: MakeRoutes });
  });
  afterAll(async () => {
    rmSync(file);
    await owner.close();
  });

  async function makeUser(): Promise<string> {
    const [row] = await owner.db
      .insert(user)
      .values({ name: "Somebody", email: `${randomUUID()}@example.com` })
      .returning({ id: user.id });
    return row?.id ?? "";
  }

  async function ask(caller: { userId: string; role: RlsRole } | null, id: string): Promise<Response> {
    const { app, close } = userRoutes(inject("direct"), async () => caller);
    try {
      return await app.request(`/users/${id}`);
    } finally {
      await close();
    }
  }

  test("shows a user the own profile", async () => {
    const id = await makeUser();
    const response = await ask({ userId: id, role: "user" }, id);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ id, name: "Somebody" });
  });

  test("shows a user nobody else's, as if there were none", async () => {
    const [one, other] = [await makeUser(), await makeUser()];
    const [hidden, missing] = [
      await ask({ userId: other, role: "user" }, one),
      await ask({ userId: other, role: "user" }, "user_none"),
    ];
    expect([hidden.status, missing.status]).toEqual([404, 404]);
    expect(await hidden.text()).toBe(await missing.text());
  });

  test.each(["support", "admin"] as const)("shows %s anybody's", async (role) => {
    const id = await makeUser();
    expect((await ask({ userId: await makeUser(), role }, id)).status).toBe(200);
  });

  test("shows a visitor nothing", async () => {
    expect((await ask(null, await makeUser())).status).toBe(401);
  });

  test("throws for an unknown role rather than finding nothing", async () => {
    const id = await makeUser();
    // Hono logs what it answers with 500.
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    expect((await ask({ userId: id, role: "root" as RlsRole }, id)).status).toBe(500);
    expect(logged).toHaveBeenCalledWith(expect.objectContaining({ message: "no such role: root" }));
    logged.mockRestore();
  });
});

test("the guide says of each table what becomes of it", () => {
  const printed = [...page.matchAll(/^\| `(\w+)` \| (goes|stays)[^|]*\| (goes|stays)[^|]*\|$/gm)];
  const said = printed.map(([, name, organization, person]) => [name, organization, person]);
  const due = isolations.map(({ table, declaration }) => {
    const { rows, owner, goes } = declaration;
    const fate = (kind: "organization" | "user", id: string) => {
      const gone = goes ?? ((row) => owner?.[kind] !== undefined && row[owner[kind]] === id);
      return rows.some((row) => gone(row, { kind, id })) ? "goes" : "stays";
    };
    // bob is in a team, which ada is not.
    const people = ["ada", "bob", "eve"] as const;
    const person = people.some((name) => fate("user", userOf(name)) === "goes") ? "goes" : "stays";
    return [tableName(table), fate("organization", north), person];
  });
  expect(said.sort()).toEqual(due.sort());
});
