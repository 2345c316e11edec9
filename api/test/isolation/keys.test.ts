import { newId } from "@repo/db/schema/columns";
import { describe, expect, test } from "vitest";
import { finderOf, type KeyCaller, type Scope } from "../../core/caller.ts";
import { createCallerFactory } from "../../core/procedures.ts";
import { appRouter } from "../../modules/registry.ts";
import { insider } from "../actors.ts";
import { procedures } from "../call.ts";
import { withContext } from "../context.ts";
import { expectRefusal, refusal } from "../errors.ts";
import type { Insider, Place } from "./declare.ts";
import { covered, coverageOf as of, untouched } from "./registry.ts";
import { idsIn, rowsOf } from "./victim.ts";

// How a key is found and counted is the keys' own affair; this is what every procedure makes of one.

const closed = Object.keys(covered)
  .filter((path) => of(path).procedure.as !== "visitor")
  .sort();
const scopeOf = (path: string) => procedures[path]?._def.meta?.scope ?? false;
const isScope = (scope: Scope | false): scope is Scope => scope !== false;
const scopes = [...new Set(closed.map(scopeOf).filter(isScope))];

let made: Promise<Insider> | undefined;
function stranger(): Promise<Insider> {
  made ??= insider("owner");
  return made;
}

function organizationKey({ organization }: Insider, held: string[] = scopes): KeyCaller {
  const membership = { organizationId: organization.id, role: "owner" } as const;
  return { via: "key", keyId: newId("key"), scopes: held, user: null, membership };
}

function personKey({ user }: Insider, held: string[] = scopes): KeyCaller {
  return { via: "key", keyId: newId("key"), scopes: held, user, membership: null };
}

function call(caller: KeyCaller, path: string, input: unknown): Promise<unknown> {
  return withContext({}, (context) => {
    const api = createCallerFactory(appRouter)({ ...context, findCaller: finderOf(async () => caller) });
    const procedure = path.split(".").reduce((at: object, name) => Reflect.get(at, name), api);
    return (procedure as unknown as (input: unknown) => Promise<unknown>)(input);
  });
}

async function unchanged(place: Place, attempt: () => Promise<unknown>): Promise<void> {
  const before = await rowsOf(place);
  await attempt();
  expect(await rowsOf(place)).toEqual(before);
}

describe("a key of the tenant's own", () => {
  test.each(closed)("%s without its scope", async (path) => {
    const place = await untouched(path);
    const scope = scopeOf(path);
    const key = organizationKey(
      place.host,
      scopes.filter((held) => held !== scope),
    );
    await unchanged(place, () =>
      expectRefusal(
        call(key, path, of(path).procedure.input?.(place)),
        "FORBIDDEN",
        scope ? "scope_missing" : "not_for_keys",
      ),
    );
  });

  test.each(closed.filter((path) => procedures[path]?._def.type === "mutation"))(
    "%s with every scope to read",
    async (path) => {
      const place = await untouched(path);
      const reading = scopes.filter((scope) => scope.endsWith(":read"));
      for (const key of [organizationKey(place.host, reading), personKey(place.host, reading)]) {
        await unchanged(place, () => expectRefusal(call(key, path, of(path).procedure.input?.(place)), "FORBIDDEN"));
      }
    },
  );
});

describe("another tenant's key with every scope", () => {
  const makers = { "an organization's": organizationKey, "a person's": personKey };
  test.each(closed.flatMap((path) => Object.keys(makers).map((kind) => [path, kind as keyof typeof makers] as const)))(
    "%s with %s",
    async (path, kind) => {
      const { procedure, place: make } = of(path);
      // What the procedure would succeed on: a fresh place, where it must be made so.
      const place = procedure.prepare ? await make() : await untouched(path);
      await procedure.prepare?.(place);
      const key = makers[kind](await stranger());
      const input = procedure.input?.(place);
      const wrongDoor = !procedure.anyKey && procedure.as === (kind === "a person's" ? "member" : "user");
      await unchanged(place, async () => {
        if (scopeOf(path) === false || wrongDoor || procedure.as === "staff")
          return void (await expectRefusal(call(key, path, input), "FORBIDDEN"));
        if (idsIn(input).length > 0) {
          const { code, reason } = await refusal(call(key, path, input));
          // Some are for members in person, whichever tenant is named.
          return void expect([code, reason]).toEqual(
            reason === "no_user" ? ["FORBIDDEN", reason] : ["NOT_FOUND", reason],
          );
        }
        const answer = await call(key, path, input).catch((error: unknown) => ({ refused: String(error) }));
        expect(idsIn(answer).filter((id) => idsIn(place).includes(id))).toEqual([]);
      });
    },
  );
});

test("there are scopes to hold, and procedures that no key may call", () => {
  expect(scopes.length).toBeGreaterThan(4);
  expect(closed.filter((path) => scopeOf(path) === false).length).toBeGreaterThan(0);
});
