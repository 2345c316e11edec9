import { resume, schema, user } from "@repo/db";
import { getTableColumns, is } from "drizzle-orm";
import { toSnakeCase } from "drizzle-orm/casing";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import { describe, expect, expectTypeOf, test } from "vitest";
import { type Actor, signIn, unique } from "../../test/actors.ts";
import { testRuntime, withContext } from "../../test/context.ts";
import { withDb } from "../../test/owner.ts";
import { type CachedDb, connectionOf, type Db, type Tx } from "./doors.ts";
import { type CallerRole, rls } from "./rls.ts";
import { asService } from "./service.ts";
import { transaction } from "./transaction.ts";

type Door = "HYPERDRIVE_CACHED" | "HYPERDRIVE_DIRECT";

const tables = Object.values<unknown>(schema).filter((value): value is PgTable => is(value, PgTable));
const identityTables = ["identity", "passkey", "rate_limit", "session", "two_factor", "user", "verification"];
const publicResume = [
  "created_at",
  "deleted_at",
  "downloads",
  "id",
  "is_public",
  "name",
  "public_data",
  "slug",
  "template",
  "thumbnail_url",
  "updated_at",
  "views",
];

function through<T>(door: Door, work: (db: Db) => Promise<T>): Promise<T> {
  return withDb(testRuntime().env[door].connectionString, work);
}

/** SQLSTATE of a statement that must fail. */
async function sqlState(db: Db, text: string): Promise<unknown> {
  const outcome = await connectionOf(db)
    .query(text)
    .catch((error: unknown) => error);
  return outcome instanceof Error && "code" in outcome ? outcome.code : "answered";
}

async function publishedResume(): Promise<{ ada: Actor; id: string; slug: string; hiddenId: string }> {
  const ada = await signIn();
  const { id } = await ada.api.resumes.create({
    name: `Public ${unique()}`,
    data: { basics: { name: "Ada", email: "ada@example.com" } },
  });
  const { slug } = await ada.api.resumes.publish({ id });
  const hidden = await ada.api.resumes.create({ name: `Private ${unique()}` });
  return { ada, id, slug, hiddenId: hidden.id };
}

describe("by raw SQL", () => {
  test("each login role may read exactly the public columns, and app_direct the identity tables", async () => {
    for (const door of ["HYPERDRIVE_CACHED", "HYPERDRIVE_DIRECT"] as const) {
      const readable = new Map<string, string[]>();
      await through(door, async (db) => {
        for (const table of tables) {
          const { name } = getTableConfig(table);
          for (const key of Object.keys(getTableColumns(table))) {
            const column = toSnakeCase(key);
            const state = await sqlState(db, `select "${column}" from "${name}" limit 1`);
            if (state === "answered") readable.set(name, [...(readable.get(name) ?? []), column].sort());
            else expect(state).toBe("42501");
          }
        }
      });
      expect(readable.get("resume")).toEqual(publicResume);
      expect([...readable.keys()].sort()).toEqual(
        [...(door === "HYPERDRIVE_DIRECT" ? identityTables : []), "resume"].sort(),
      );
    }
  });

  test.each(["HYPERDRIVE_CACHED", "HYPERDRIVE_DIRECT"] as const)(
    "%s shows published résumés alone, and takes no write",
    async (door) => {
      const { id, hiddenId } = await publishedResume();
      await through(door, async (db) => {
        const { rows } = await connectionOf(db).query("select id from resume where id in ($1, $2)", [id, hiddenId]);
        expect(rows).toEqual([{ id }]);
        expect(
          (await connectionOf(db).query("select 1 from resume where not is_public or deleted_at is not null")).rows,
        ).toEqual([]);
        expect(await sqlState(db, `update resume set name = 'x' where id = '${id}'`)).toBe("42501");
        expect(await sqlState(db, `delete from resume where id = '${id}'`)).toBe("42501");
        expect(await sqlState(db, "insert into resume select * from resume")).toBe("42501");
        expect(await sqlState(db, "select auth.uid()")).toBe("42501");
      });
    },
  );

  test("the cached role can take on no other role and resolve no caller", async () => {
    await through("HYPERDRIVE_CACHED", async (db) => {
      for (const role of ["authenticated", "support", "admin", "service", "auth_resolver", "app_direct"]) {
        expect(await sqlState(db, `set role ${role}`)).toBe("42501");
      }
      expect(await sqlState(db, "select * from auth.resolve_caller('x', null)")).toBe("42501");
    });
  });
});

test("ctx.db cannot write, and tx cannot send raw SQL: neither compiles", () => {
  expectTypeOf<CachedDb>().not.toHaveProperty("insert");
  expectTypeOf<CachedDb>().not.toHaveProperty("update");
  expectTypeOf<CachedDb>().not.toHaveProperty("delete");
  expectTypeOf<CachedDb>().not.toHaveProperty("execute");
  expectTypeOf<CachedDb>().not.toHaveProperty("transaction");
  expectTypeOf<CachedDb>().not.toHaveProperty("with");
  expectTypeOf<Tx>().not.toHaveProperty("execute");
  expectTypeOf<Tx>().not.toHaveProperty("$client");
});

describe("rls", () => {
  const read = <T>(db: Db, sub: string, callback: (tx: Tx) => Promise<T>) =>
    rls(db, { role: "authenticated", claims: { sub }, readOnly: true }, callback);

  test("shows what is the caller's own, and leaves neither role nor claims behind", async () => {
    const { ada, id, hiddenId } = await publishedResume();
    const eve = await signIn();
    await withContext({}, async ({ dbDirect }) => {
      const own = await read(dbDirect, ada.user.id, (tx) =>
        tx.select({ id: resume.id }).from(resume).orderBy(resume.id),
      );
      expect(own).toEqual([{ id }, { id: hiddenId }]);
      expect(await read(dbDirect, eve.user.id, (tx) => tx.select().from(resume))).toEqual([]);
      const { rows } = await connectionOf(dbDirect).query(
        "select current_user, current_setting('request.jwt.claims', true) as claims",
      );
      expect(rows).toEqual([{ current_user: "app_direct", claims: "" }]);
    });
  });

  test("a read-only transaction refuses a write", async () => {
    const ada = await signIn();
    await withContext({}, async ({ dbDirect }) => {
      const write = read(dbDirect, ada.user.id, (tx) => tx.update(user).set({ name: "x" }));
      await expect(write).rejects.toMatchObject({ cause: { code: "25006" } });
    });
  });

  test("a throw rolls back and frees the connection; a savepoint undoes its part alone", async () => {
    const ada = await signIn();
    await withContext({}, async ({ dbDirect }) => {
      const write = (callback: (tx: Tx) => Promise<unknown>) =>
        rls(dbDirect, { role: "authenticated", claims: { sub: ada.user.id } }, callback);
      const rename = (tx: Tx, name: string) => tx.update(user).set({ name });
      await expect(
        write(async (tx) => rename(tx, "lost").then(() => Promise.reject(new Error("changed my mind")))),
      ).rejects.toThrow("changed my mind");
      await write(async (tx) => {
        await rename(tx, "kept");
        await tx
          .savepoint(async () => rename(tx, "undone").then(() => Promise.reject(new Error("undo"))))
          .catch(() => {});
      });
      expect(await read(dbDirect, ada.user.id, (tx) => tx.select({ name: user.name }).from(user))).toEqual([
        { name: "kept" },
      ]);
    });
  });

  test("a savepoint that is undone lets nothing through that was still running in it", async () => {
    const ada = await signIn();
    await withContext({}, async ({ dbDirect }) => {
      const late: unknown[] = [];
      await rls(dbDirect, { role: "authenticated", claims: { sub: ada.user.id } }, async (tx) => {
        const straggler = Promise.withResolvers<void>();
        const undone = tx.savepoint(() =>
          Promise.all([
            tx.update(user).set({ role: "admin" }),
            straggler.promise
              .then(() => tx.update(user).set({ name: "late" }))
              .catch((error) => late.push(error.cause)),
          ]),
        );
        await undone.catch(() => {});
        straggler.resolve();
        await expect.poll(() => late).toHaveLength(1);
      });
      expect(late).toMatchObject([{ message: expect.stringContaining("after its savepoint had ended") }]);
      expect(await read(dbDirect, ada.user.id, (tx) => tx.select({ name: user.name }).from(user))).toEqual([
        { name: ada.user.name },
      ]);
    });
  });

  test("an error that the callback swallows cannot turn into a commit", async () => {
    const ada = await signIn();
    await withContext({}, async ({ dbDirect }) => {
      const careless = rls(dbDirect, { role: "authenticated", claims: { sub: ada.user.id } }, async (tx) => {
        await tx.update(user).set({ name: "half" });
        await tx
          .update(user)
          .set({ role: "admin" })
          .catch(() => {});
      });
      await expect(careless).rejects.toThrow("COMMIT was answered with ROLLBACK");
    });
  });

  test("two transactions of one request wait for each other; one inside the other is refused", async () => {
    const ada = await signIn();
    await withContext({}, async ({ dbDirect }) => {
      const name = (tx: Tx) => tx.select({ name: user.name }).from(user);
      const both = await Promise.all([
        read(dbDirect, ada.user.id, name),
        read(dbDirect, ada.user.id, name),
        dbDirect.select({ id: user.id }).from(user).limit(1),
      ]);
      expect(both[0]).toEqual(both[1]);
      await expect(read(dbDirect, ada.user.id, () => read(dbDirect, ada.user.id, name))).rejects.toThrow(
        "use the callback's tx",
      );
      await expect(read(dbDirect, ada.user.id, () => dbDirect.select().from(user))).rejects.toThrow();
    });
  });

  test("tx is of no use after its transaction", async () => {
    const ada = await signIn();
    await withContext({}, async ({ dbDirect }) => {
      const escaped = await read(dbDirect, ada.user.id, async (tx) => tx);
      await expect(escaped.select().from(user)).rejects.toMatchObject({
        cause: { message: expect.stringContaining("after its transaction had ended") },
      });
    });
  });

  test("the service door sees system rows", async () => {
    const { hiddenId } = await publishedResume();
    await withContext({}, async ({ dbDirect }) => {
      const rows = await asService(dbDirect, (tx) => tx.select({ id: resume.id }).from(resume));
      expect(rows.map(({ id }) => id)).toContain(hiddenId);
    });
  });
});

describe("a prelude that fails never yields a row", () => {
  test.each([
    ["an unknown role", "nobody", "user_1"],
    ["the service role", "service", "user_1"],
    ["a role with SQL in it", "admin', true), set_config('x", "user_1"],
    ["a claim with SQL in it", "authenticated", "x'; reset role; --"],
    ["a claim with JSON in it", "authenticated", 'x","role":"admin'],
  ])("%s is refused before any SQL", async (_, role, sub) => {
    await withContext({}, async ({ dbDirect, trips }) => {
      const attempt = rls(dbDirect, { role: role as CallerRole, claims: { sub } }, (tx) => tx.select().from(resume));
      await expect(attempt).rejects.toThrow();
      expect(trips.total).toBe(0);
    });
  });

  test.each([
    ["a role that the database lacks", "begin; select set_config('role', 'no_such_role', true)"],
    ["a role that may not be taken on", "begin; select set_config('role', 'auth_resolver', true)"],
    ["a BEGIN that fails", "begin read onyl; select set_config('role', 'authenticated', true)"],
    [
      "claims that are no JSON",
      "begin; select set_config('role', 'authenticated', true), set_config('request.jwt.claims', '{no', true)",
    ],
  ])("%s: not even a public row", async (_, prelude) => {
    const { id } = await publishedResume();
    await withContext({}, async ({ dbDirect }) => {
      const read = { text: "select id from resume where id = $1", values: [id] };
      const attempt = transaction(connectionOf(dbDirect), { prelude, readOnly: true }, (client) =>
        client.query(read, read.values),
      );
      await expect(attempt).rejects.toThrow();
      expect((await connectionOf(dbDirect).query(read.text, read.values)).rows).toEqual([{ id }]);
    });
  });
});
