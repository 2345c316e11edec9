import {
  type MemberRole,
  member,
  type Organization,
  organization,
  type PlatformRole,
  session,
  type User,
  user,
} from "@repo/db";
import { serializeSigned } from "hono/utils/cookie";
import { sessionCookie } from "../core/caller.ts";
import { one } from "../core/database/rows.ts";
import { type Api, apiFor } from "./call.ts";
import { testRuntime, withContext } from "./context.ts";
import { withOwner } from "./owner.ts";

/** A signed-in user of a test: the row, the headers that speak for it, and its procedures. */
export interface Actor {
  user: User;
  sessionId: string;
  headers: Record<string, string>;
  api: Api;
}

let made = 0;

/** A number that no other call in this run has had. */
export function unique(): string {
  made += 1;
  return `${made}-${crypto.randomUUID().slice(0, 8)}`;
}

/** A fresh user without a session. */
export function makeUser(values: Partial<typeof user.$inferInsert> = {}): Promise<User> {
  const email = `user-${unique()}@example.com`;
  return withContext({}, async ({ dbDirect }) =>
    one(
      await dbDirect
        .insert(user)
        .values({ name: "Test User", email, emailVerified: true, ...values })
        .returning(),
    ),
  );
}

/** A bearer token for a new session of the user. */
export async function openSession(userId: string, values: Partial<typeof session.$inferInsert> = {}) {
  const { env } = testRuntime();
  const token = crypto.randomUUID();
  const row = await withOwner(async (db) =>
    one(
      await db
        .insert(session)
        .values({ token, userId, expiresAt: new Date(Date.now() + 3_600_000), ...values })
        .returning(),
    ),
  );
  const name = sessionCookie(env.APP_URL);
  const [cookie = ""] = (await serializeSigned(name, token, env.AUTH_SECRET)).split(";");
  return { id: row.id, cookie, bearer: cookie.slice(name.length + 1) };
}

/** A fresh user with a session. */
export async function signIn(values: Partial<typeof user.$inferInsert> & { role?: PlatformRole } = {}): Promise<Actor> {
  const row = await makeUser(values);
  const { id, bearer } = await openSession(row.id);
  const headers = { authorization: `Bearer ${bearer}` };
  return { user: row, sessionId: id, headers, api: apiFor(headers) };
}

/** Makes the actor a member of a new organization, or of the one given, and speak for it. */
export async function joinOrganization(actor: Actor, role: MemberRole, into?: Organization) {
  const place =
    into ??
    (await withOwner(async (db) =>
      one(
        await db
          .insert(organization)
          .values({ name: "Test", slug: `org-${unique()}` })
          .returning(),
      ),
    ));
  const { id: memberId } = await withOwner(async (db) =>
    one(await db.insert(member).values({ organizationId: place.id, userId: actor.user.id, role }).returning()),
  );
  const headers: Record<string, string> = { ...actor.headers, "x-organization": place.id };
  return { ...actor, headers, organization: place, memberId, api: apiFor(headers) };
}

/** Somebody with a role in a new organization, or in the one given. */
export async function insider(role: MemberRole, into?: Organization) {
  return joinOrganization(await signIn(), role, into);
}
