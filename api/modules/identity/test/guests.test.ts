import { eq, user } from "@repo/db";
import { afterEach, expect, test } from "vitest";
import type { Module } from "../../../core/modules.ts";
import { apiFor } from "../../../test/call.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { withOwner } from "../../../test/owner.ts";
import { expectLoggedErrors } from "../../../test/setup.ts";
import { modules } from "../../registry.ts";
import { composeOthers } from "../others.ts";
import { browser, isSignedIn, password, registered } from "./browser.ts";

const rowOf = (id: string) => withOwner((db) => db.select().from(user).where(eq(user.id, id)));

/** A visitor who has begun to try things out. */
async function guest() {
  const there = browser();
  const { data } = await there.auth.signIn.anonymous();
  return { ...there, id: data?.user.id ?? "", api: apiFor({ cookie: there.cookie() }) };
}

test("a guest has an account without an address, and no second one", async () => {
  const { id, api, auth } = await guest();
  expect(await api.user.me()).toMatchObject({ id, isAnonymous: true, emailVerified: false, name: "Guest" });
  expect((await rowOf(id))[0]?.email).toMatch(/@guest\.invalid$/);
  expect((await auth.signIn.anonymous()).error?.status).toBe(400);
});

/** A module that keeps something of its own for a guest; answers what it was asked to hand over. */
function keeper(fail = false) {
  const handed: { guestId: string; userId: string }[] = [];
  const module: Module = {
    routers: {},
    async adoptUser(tx, change) {
      handed.push(change);
      await tx.select({ id: user.id }).from(user).where(eq(user.id, change.guestId));
      if (fail) throw new Error("cannot take it over");
    },
  };
  composeOthers([...modules, module]);
  return handed;
}

afterEach(() => composeOthers(modules));

test("modules hand over what the guest had to the account signed in to, and the guest is gone", async () => {
  const ada = await registered();
  const visitor = await guest();
  const cookieOfGuest = visitor.cookie();
  const handed = keeper();
  expect((await visitor.auth.signIn.email({ email: ada.email, password })).error).toBeNull();
  expect(handed).toEqual([{ guestId: visitor.id, userId: ada.id }]);
  expect((await visitor.auth.getSession()).data?.user.id).toBe(ada.id);
  expect(await rowOf(visitor.id)).toEqual([]);
  expect(await isSignedIn({ cookie: cookieOfGuest })).toBe(false);
});

test("a failed hand-over keeps the guest", async () => {
  const ada = await registered();
  const visitor = await guest();
  const cookieOfGuest = visitor.cookie();
  keeper(true);
  expectLoggedErrors();
  expect((await visitor.auth.signIn.email({ email: ada.email, password })).error?.status).toBe(500);
  expect(await rowOf(visitor.id)).toHaveLength(1);
  expect(await isSignedIn({ cookie: cookieOfGuest })).toBe(true);
});

test("signing in to another account after the first hands over nothing more", async () => {
  const [ada, eve] = [await registered(), await registered()];
  const visitor = await guest();
  const handed = keeper();
  await visitor.auth.signIn.email({ email: ada.email, password });
  await visitor.auth.signIn.email({ email: eve.email, password });
  expect(handed).toHaveLength(1);
  expect(await rowOf(ada.id)).toHaveLength(1);
});

test("a wrong password moves nothing", async () => {
  const ada = await registered();
  const visitor = await guest();
  await visitor.auth.signIn.email({ email: ada.email, password: "wrong horse battery" });
  expect(await rowOf(visitor.id)).toHaveLength(1);
  expect(await isSignedIn({ cookie: visitor.cookie() })).toBe(true);
});

test("guests found no organizations", async () => {
  const { api } = await guest();
  await expectRefusal(api.organization.create({ name: "Nobody's" }), "FORBIDDEN", "guest");
});
