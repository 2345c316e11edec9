import { serializeSigned } from "hono/utils/cookie";
import type postgres from "postgres";
import { sessionCookie } from "../../api/core/caller.ts";
import { newId } from "../../db/schema/columns.ts";

export const secret = "a secret of the simulation, long enough for the check";
export const appUrl = "http://127.0.0.1:8787";

const roles = ["owner", "member", "viewer"] as const;

/** Somebody who sends requests, one after the other. */
export interface Client {
  name: string;
  tenant: Tenant;
  role: (typeof roles)[number];
  userId: string;
  sessionId: string;
  memberId: string;
  bearer: string;
  /** The freshness token of its latest write, and until when it sends it. */
  fresh?: { token: string; until: number };
}

/** An organization, and what the model knows of it. Whatever is private in it carries the mark. */
export interface Tenant {
  index: number;
  mark: string;
  organizationId: string;
  name: string;
  clients: Client[];
  /** Live teams: name by id. */
  teams: Map<string, string>;
  invitationId: string;
  resumeId: string;
  /** A published résumé, whose label counts the writes. */
  page: { id: string; slug: string; version: number; value: number };
}

export const markOf = (index: number) => `zq${String(index).padStart(2, "0")}zq`;
export const marksIn = (text: string) => new Set([...text.matchAll(/zq\d\dzq/g)].map(([mark]) => mark));

/** Makes the tenants, past all doors. */
export async function makeTenants(sql: postgres.Sql, count: number): Promise<Tenant[]> {
  const tenants: Tenant[] = [];
  for (let index = 0; index < count; index++) tenants.push(await makeTenant(sql, index));
  return tenants;
}

async function makeTenant(sql: postgres.Sql, index: number): Promise<Tenant> {
  const mark = markOf(index);
  const tenant: Tenant = {
    index,
    mark,
    organizationId: newId("org"),
    name: `Company ${mark}`,
    clients: [],
    teams: new Map(),
    invitationId: newId("inv"),
    resumeId: newId("resume"),
    page: { id: newId("resume"), slug: `page-${index}-of-everybody`, version: 1, value: 0 },
  };
  await sql`insert into organization ${sql({ id: tenant.organizationId, name: tenant.name, slug: `company-${mark}` })}`;
  for (const role of roles) tenant.clients.push(await makeClient(sql, tenant, role));
  const [owner] = tenant.clients;
  if (!owner) throw new Error("a tenant without an owner");
  const teamId = newId("team");
  tenant.teams.set(teamId, `Team ${mark}`);
  await sql`insert into team ${sql({ id: teamId, organization_id: tenant.organizationId, name: `Team ${mark}` })}`;
  const invitation = { id: tenant.invitationId, organization_id: tenant.organizationId, role: "member" };
  await sql`insert into invitation ${sql({ ...invitation, email: `guest-${mark}@example.com`, expires_at: new Date(Date.now() + 9e8) })}`;
  const person = { user_id: owner.userId, user_email: `owner-${mark}@example.com` };
  const text = sql.json({ basics: { email: `private-${mark}@example.com`, label: "0" } });
  await sql`insert into resume ${sql({ ...person, id: tenant.resumeId, name: `Mine ${mark}`, slug: `mine-${mark}`, data: text, public_data: text })}`;
  const shown = sql.json({ basics: { label: "0" } });
  await sql`insert into resume ${sql({ ...person, id: tenant.page.id, name: `Page ${index}`, slug: tenant.page.slug, data: text, public_data: shown, is_public: true })}`;
  return tenant;
}

async function makeClient(sql: postgres.Sql, tenant: Tenant, role: Client["role"]): Promise<Client> {
  const { mark, organizationId } = tenant;
  const [userId, sessionId, memberId, token] = [newId("user"), newId("sess"), newId("mem"), crypto.randomUUID()];
  await sql`insert into "user" ${sql({ id: userId, name: `${role} ${mark}`, email: `${role}-${mark}@example.com`, email_verified: true })}`;
  await sql`insert into session ${sql({ id: sessionId, token, user_id: userId, active_organization_id: organizationId, expires_at: new Date(Date.now() + 9e8) })}`;
  await sql`insert into member ${sql({ id: memberId, organization_id: organizationId, user_id: userId, role })}`;
  const name = sessionCookie(appUrl);
  const [cookie = ""] = (await serializeSigned(name, token, secret)).split(";");
  return { name: `${role} ${mark}`, tenant, role, userId, sessionId, memberId, bearer: cookie.slice(name.length + 1) };
}
