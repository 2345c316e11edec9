import { memberRoles } from "@repo/db";
import { newId } from "@repo/db/schema/columns";
import { describe, expect, test } from "vitest";
import { sessionCookie } from "../../core/caller.ts";
import type { ErrorCode } from "../../core/errors/app-error.ts";
import { publicProcedure, router } from "../../core/procedures.ts";
import { appRouter } from "../../modules/registry.ts";
import { type Actor, insider, signIn } from "../actors.ts";
import { measure, procedures } from "../call.ts";
import { testRuntime } from "../context.ts";
import { expectRefusal, refusal } from "../errors.ts";
import { ownerSql } from "../owner.ts";
import type { Insider, Place } from "./declare.ts";
import { type IdSlot, idSlots, withValue } from "./inputs.ts";
import { covered, gaps, coverageOf as of, untouched } from "./registry.ts";
import { idsIn, prefixOf, rowsOf } from "./victim.ts";

const paths = Object.keys(covered).sort();
const inputOf = (path: string, place: Place) => of(path).procedure.input?.(place);
const closed = paths.filter((path) => of(path).procedure.as !== "visitor");
const forMembers = paths.filter((path) => of(path).procedure.as === "member");
const forStaff = paths.filter((path) => of(path).procedure.as === "staff");
const typeOf = (path: string) => procedures[path]?._def.type;

/** What of an input another tenant's id could be put into; staff's are about any tenant. */
const slots = paths
  .filter((path) => of(path).procedure.as !== "staff")
  .flatMap((path) =>
    idSlots(procedures[path]?._def.inputs ?? []).map((slot): [string, IdSlot] => [
      `${path} ${slot.path.join(".")}`,
      slot,
    ]),
  );

const people = new Map<string, Promise<Insider>>();
/** Somebody who was let into the untouched place, and what became of them; one for all tests. */
function somebody(place: Place, what: string, make: () => Promise<Insider>): Promise<Insider> {
  const key = `${place.host.organization.id} ${what}`;
  const made = people.get(key) ?? make();
  people.set(key, made);
  return made;
}

/** A place in which the procedure would succeed. */
async function ready(path: string): Promise<Place> {
  const { place, procedure } = of(path);
  if (!procedure.prepare) return untouched(path);
  const fresh = await place();
  await procedure.prepare(fresh);
  return fresh;
}

/** Runs the attempt; nothing of the place's may have changed. */
async function unchanged(place: Place, attempt: () => Promise<unknown>): Promise<void> {
  const before = await rowsOf(place);
  await attempt();
  expect(await rowsOf(place)).toEqual(before);
}

const speakingFor = ({ headers }: Pick<Actor, "headers">, place: Place) => ({
  ...headers,
  "x-organization": place.host.organization.id,
});

async function rightful(path: string, place: Place) {
  const { procedure } = of(path);
  if (procedure.as === "staff") return signIn({ role: procedure.staff?.at(-1) ?? "admin" });
  return procedure.rightful?.(place) ?? place.host;
}

test("every procedure of the API is covered, and nothing else is", () => {
  expect(gaps(appRouter)).toEqual({ uncovered: [], gone: [] });
  expect(paths.length).toBeGreaterThan(40);
});

test("a procedure that no module declares anything about is found", () => {
  const more = router({ loophole: publicProcedure.query(() => "open") });
  const grown = router({ ...appRouter._def.record, more } as unknown as Parameters<typeof router>[0]);
  expect(gaps(grown).uncovered).toEqual(["more.loophole"]);
});

test("the walk finds ids in objects, lists, options and behind defaults", () => {
  const found = slots.map(([name]) => name);
  expect(found).toContain("organization.teams.addMember teamId");
  expect(found).toContain("organization.setActive organizationId");
  expect(found).toContain("organization.invitations.create teamId");
  expect(found).toContain("organization.audit.list actorId");
  expect(withValue({ a: [1], b: { c: 2 } }, ["b", "c"], 3)).toEqual({ a: [1], b: { c: 3 } });
  expect(withValue({}, ["ids", 0], "x")).toEqual({ ids: ["x"] });
});

describe("whoever may", () => {
  test.each(paths)("%s succeeds, in exactly its budget of trips", async (path) => {
    const { place, procedure } = of(path);
    const fresh = await place();
    await procedure.prepare?.(fresh);
    const { headers } = await rightful(path, fresh);
    const { trips } = await measure(headers, path, inputOf(path, fresh));
    expect(trips).toBe(procedures[path]?._def.meta?.trips);
  });

  test.each(
    forMembers.flatMap((path) => (of(path).procedure.roles ?? memberRoles).map((role) => [path, role] as const)),
  )("%s as %s", async (path, role) => {
    const { place, procedure } = of(path);
    const fresh = await place();
    await procedure.prepare?.(fresh);
    const { headers } = await insider(role, fresh.host.organization);
    await measure(headers, path, inputOf(path, fresh));
  });
});

describe("a visitor", () => {
  test.each(closed)("%s", async (path) => {
    const place = await untouched(path);
    await unchanged(place, async () => {
      await expectRefusal(measure(speakingFor({ headers: {} }, place), path, inputOf(path, place)), "UNAUTHENTICATED");
    });
  });

  test.each(paths.filter((path) => !closed.includes(path)))("%s shows and changes nothing private", async (path) => {
    const place = await untouched(path);
    await unchanged(place, async () => {
      const answer = await measure({}, path, inputOf(path, place)).catch((error: unknown) => ({
        result: String(error),
      }));
      expect(idsIn(answer.result).filter((id) => idsIn(place).includes(id))).toEqual([]);
    });
  });
});

/** The two ways in which a request carries the same session. */
function carriers({ authorization = "", ...headers }: Record<string, string>): Record<string, string>[] {
  const cookie = `${sessionCookie(testRuntime().env.APP_URL)}=${authorization.slice("Bearer ".length)}`;
  return [
    { ...headers, authorization },
    { ...headers, cookie },
  ];
}

async function letIn({ headers }: Pick<Actor, "headers">): Promise<void> {
  for (const carried of carriers(headers)) await measure(carried, "organization.get", undefined);
}

/** A refusal by cookie as well as by bearer token. */
async function expectShut({ headers }: Pick<Actor, "headers">, path: string, [place, ...why]: Shut): Promise<void> {
  await unchanged(place, async () => {
    for (const carried of carriers(headers)) {
      await expectRefusal(measure(carried, path, inputOf(path, place)), ...why);
    }
  });
}

type Shut = [place: Place, code: ErrorCode, reason?: string];

describe("no longer signed in", () => {
  const endings: Record<string, (host: Actor) => Promise<unknown>> = {
    revoked: ({ sessionId }) => ownerSql("delete from session where id = $1", [sessionId]),
    expired: ({ sessionId }) => ownerSql("update session set expires_at = now() where id = $1", [sessionId]),
    banned: ({ user }) => ownerSql('update "user" set banned = true where id = $1', [user.id]),
  };
  test.each(closed.flatMap((path) => Object.keys(endings).map((ending) => [path, ending] as const)))(
    "%s: %s",
    async (path, ending) => {
      const place = await untouched(path);
      const once = await somebody(place, ending, async () => {
        const owner = await insider("owner", place.host.organization);
        await letIn(owner);
        await endings[ending]?.(owner);
        return owner;
      });
      await expectShut(once, path, [place, "UNAUTHENTICATED"]);
    },
  );
});

describe("no longer a member", () => {
  test.each(closed)("%s", async (path) => {
    const place = await untouched(path);
    const former = await somebody(place, "removed", async () => {
      const owner = await insider("owner", place.host.organization);
      await letIn(owner);
      await ownerSql("delete from member where id = $1", [owner.memberId]);
      return owner;
    });
    await expectShut(former, path, [place, "FORBIDDEN", "not_a_member"]);
  });

  test.each(forMembers)("%s through the organization that the session has chosen", async (path) => {
    const place = await untouched(path);
    const former = await somebody(place, "removed from the active one", async () => {
      const owner = await insider("owner", place.host.organization);
      const { "x-organization": organization, ...bare } = owner.headers;
      await ownerSql("update session set active_organization_id = $1 where id = $2", [organization, owner.sessionId]);
      await letIn({ headers: bare });
      await ownerSql("delete from member where id = $1", [owner.memberId]);
      return { ...owner, headers: bare };
    });
    await expectShut(former, path, [place, "FORBIDDEN", "no_organization"]);
  });
});

describe("another tenant", () => {
  test.each(closed)("%s in the name of the organization", async (path) => {
    const place = await untouched(path);
    const eve = await somebody(place, "stranger", () => insider("owner"));
    await unchanged(place, () =>
      expectRefusal(measure(speakingFor(eve, place), path, inputOf(path, place)), "FORBIDDEN", "not_a_member"),
    );
  });

  test.each(closed)("%s about what is the organization's", async (path) => {
    const place = await ready(path);
    // Not the last owner of her own, so that she may leave it.
    const eve = await insider("owner", (await insider("owner")).organization);
    const input = inputOf(path, place);
    const names = idsIn(input).length > 0;
    await unchanged(place, async () => {
      const attempt = measure(eve.headers, path, input);
      if (of(path).procedure.as === "staff") return void (await expectRefusal(attempt, "FORBIDDEN"));
      if (names) return void (await expectRefusal(attempt, "NOT_FOUND"));
      const { result } = await attempt;
      expect(idsIn(result).filter((id) => idsIn(place).includes(id))).toEqual([]);
    });
  });

  test.each(slots)("%s: the victim's id in the attacker's own input", async (name, { path: slot, prefix }) => {
    const [path = ""] = name.split(" ");
    const { place, procedure } = of(path);
    const victim = await ready(path);
    const own = await place();
    await procedure.prepare?.(own);
    const { headers } = await rightful(path, own);
    const stolen = idsIn(victim).filter((id) => prefix === null || prefixOf(id) === prefix);
    const expected = procedure.makes?.includes(slot.join(".")) ? "CONFLICT" : "NOT_FOUND";
    for (const id of stolen.length > 0 ? stolen : [newId(String(prefix))]) {
      await unchanged(victim, async () => {
        const attempt = measure(headers, path, withValue(inputOf(path, own), slot, id));
        if (prefix === null) {
          const { result } = await attempt;
          expect(idsIn(result).filter((seen) => idsIn(victim).includes(seen))).toEqual([]);
        } else if (stolen.length > 0) await expectRefusal(attempt, expected);
      });
    }
    expect(stolen.length > 0 || procedure.makes?.includes(slot.join(".")), `${name}: an id to steal`).toBe(true);
  });
});

describe("too low a role", () => {
  const cases = forMembers.flatMap((path) =>
    memberRoles
      .filter((role) => !(of(path).procedure.roles ?? memberRoles).includes(role))
      .map((role) => [path, role] as const),
  );
  test.each(cases)("%s as %s", async (path, role) => {
    const place = await untouched(path);
    const low = await somebody(place, role, () => insider(role, place.host.organization));
    await unchanged(place, () =>
      expectRefusal(measure(low.headers, path, inputOf(path, place)), "FORBIDDEN", "role_too_low"),
    );
  });

  test("a viewer changes nothing of an organization, but where a reason is given", () => {
    const open = forMembers.filter((path) => {
      const { roles = memberRoles, viewerMay } = of(path).procedure;
      return typeOf(path) === "mutation" && roles.includes("viewer") && viewerMay === undefined;
    });
    expect(open).toEqual([]);
  });

  test.each(forMembers)("%s asks for an organization", async (path) => {
    const place = await untouched(path);
    const { "x-organization": _, ...headers } = place.host.headers;
    await expectRefusal(measure(headers, path, inputOf(path, place)), "FORBIDDEN", "no_organization");
  });

  test.each(forStaff)("%s is for the platform's staff alone", async (path) => {
    const place = await untouched(path);
    const { staff = ["support", "admin"] } = of(path).procedure;
    for (const role of ["user", "support", "admin"] as const) {
      if (staff.includes(role)) continue;
      const { headers } = await signIn({ role });
      await unchanged(place, async () => {
        expect((await refusal(measure(headers, path, inputOf(path, place)))).code).toBe("FORBIDDEN");
      });
    }
  });
});
