import { directNames, tableNames } from "./careless.ts";
import type { Client, Tenant } from "./tenants.ts";

/** What the model says of an answer: `ok`; `refused` by one of these codes; `any`, but nobody else's. */
export type Due = "ok" | "any" | readonly string[];

export interface Operation {
  procedure: string;
  input?: unknown;
  mutation?: true;
  /** Sends no credentials. */
  visitor?: true;
  /** The organization that the request names; null for none. Default: the client's own. */
  organization?: string | null;
  due: Due;
  /** What the model learns from a success. */
  learn?: (answer: unknown) => void;
  /** The register that it reads or writes. */
  register?: { key: string; write?: number };
}

export type Random = () => number;

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const idOf = (answer: unknown) => String((answer as { id: unknown }).id);
const missing = ["NOT_FOUND"] as const;
const shut = ["NOT_FOUND", "FORBIDDEN"] as const;
const manager = (client: Client): Due => (client.role === "owner" ? "ok" : ["FORBIDDEN"]);

type Make = (client: Client, random: Random, others: Tenant[]) => Operation;

let made = 0;

const reads: Make[] = [
  () => ({ procedure: "user.me", due: "ok" }),
  () => ({ procedure: "organization.get", due: "ok" }),
  () => ({ procedure: "organization.list", input: {}, due: "ok" }),
  () => ({ procedure: "organization.members.list", input: {}, due: "ok" }),
  () => ({ procedure: "organization.teams.list", input: {}, due: "ok" }),
  (client) => ({ procedure: "organization.invitations.list", input: {}, due: manager(client) }),
  (client) => ({ procedure: "organization.audit.list", input: { limit: 50 }, due: manager(client) }),
  () => ({ procedure: "resumes.list", input: {}, due: "ok" }),
  () => ({ procedure: "user.sessions.list", due: "ok" }),
];

/** The one page of a tenant, through the cached door for everybody but those who have just written. */
const readPage: Make = (client, random, others) => {
  const { page } = pick(random, [client.tenant, ...others]);
  const visitor = random() < 0.3 ? ({ visitor: true, organization: null } as const) : {};
  return {
    procedure: "resumes.bySlug",
    input: { slug: page.slug },
    due: "ok",
    register: { key: page.slug },
    ...visitor,
  };
};

const writePage: Make = ({ tenant, role }) => {
  const { page, mark } = tenant;
  if (role !== "owner") return { procedure: "user.me", due: "ok" };
  const value = page.value + 1;
  return {
    procedure: "resumes.update",
    input: {
      id: page.id,
      version: page.version,
      data: { basics: { email: `private-${mark}@example.com`, label: String(value) } },
    },
    mutation: true,
    due: "ok",
    register: { key: page.slug, write: value },
    learn: () => Object.assign(page, { value, version: page.version + 1 }),
  };
};

const writes: Make[] = [
  writePage,
  writePage,
  (client) => {
    made += 1;
    const { teams, mark } = client.tenant;
    const name = `Team ${made} ${mark}`;
    const learn = (answer: unknown) => void teams.set(idOf(answer), name);
    return { procedure: "organization.teams.create", input: { name }, mutation: true, due: manager(client), learn };
  },
  (client, random) => {
    made += 1;
    const { teams, mark } = client.tenant;
    const [id, name] = [pick(random, [...teams.keys()]), `Team ${made} ${mark}`];
    const input = { teamId: id, name };
    return {
      procedure: "organization.teams.update",
      input,
      mutation: true,
      due: manager(client),
      learn: () => void teams.set(id, name),
    };
  },
  (client, random) => {
    const { teams } = client.tenant;
    if (teams.size < 4) return { procedure: "organization.teams.list", input: {}, due: "ok" };
    const teamId = pick(random, [...teams.keys()]);
    const learn = () => void teams.delete(teamId);
    return { procedure: "organization.teams.delete", input: { teamId }, mutation: true, due: manager(client), learn };
  },
  (client) => {
    made += 1;
    const name = `Company ${made} ${client.tenant.mark}`;
    const learn = () => Object.assign(client.tenant, { name });
    return { procedure: "organization.update", input: { name }, mutation: true, due: manager(client), learn };
  },
  (client) => ({
    procedure: "user.update",
    input: { name: `${client.role} ${client.tenant.mark}` },
    mutation: true,
    due: "ok",
  }),
];

/** With another tenant's ids, or in another tenant's name. */
const attacks: Make[] = [
  (_, random, others) => ({
    procedure: "careless.read",
    input: { table: "team" },
    due: ["FORBIDDEN"],
    organization: pick(random, others).organizationId,
  }),
  ...["organization.get", "organization.teams.list", "organization.members.list", "resumes.list"].map(
    (procedure): Make =>
      (_, random, others) => ({
        procedure,
        organization: pick(random, others).organizationId,
        due: ["FORBIDDEN"],
        ...(procedure.endsWith("list") ? { input: {} } : {}),
      }),
  ),
  (_, random, others) => ({
    procedure: "organization.teams.create",
    input: { name: "Planted" },
    mutation: true,
    organization: pick(random, others).organizationId,
    due: ["FORBIDDEN"],
  }),
  ...(
    [
      ["organization.teams.update", ({ teams }: Tenant) => ({ teamId: [...teams.keys()][0], name: "Stolen" })],
      ["organization.teams.delete", ({ teams }: Tenant) => ({ teamId: [...teams.keys()][0] })],
      ["organization.members.remove", ({ clients }: Tenant) => ({ memberId: clients[1]?.memberId })],
      ["organization.members.updateRole", ({ clients }: Tenant) => ({ memberId: clients[2]?.memberId, role: "admin" })],
      ["organization.invitations.cancel", ({ invitationId }: Tenant) => ({ invitationId })],
      ["organization.invitations.accept", ({ invitationId }: Tenant) => ({ invitationId })],
      ["organization.invitations.reject", ({ invitationId }: Tenant) => ({ invitationId })],
      ["user.sessions.revoke", ({ clients }: Tenant) => ({ sessionId: clients[0]?.sessionId })],
      ["resumes.delete", ({ resumeId }: Tenant) => ({ id: resumeId })],
      ["resumes.publish", ({ resumeId }: Tenant) => ({ id: resumeId })],
      ["resumes.update", ({ resumeId }: Tenant) => ({ id: resumeId, version: 1, data: {} })],
      ["resumes.rename", ({ page }: Tenant) => ({ id: page.id, name: "Stolen" })],
      ["careless.renameTeam", ({ teams }: Tenant) => ({ id: [...teams.keys()][0], name: "Stolen" })],
      ["careless.plantTeam", ({ organizationId }: Tenant) => ({ organizationId, name: "Planted" })],
    ] as const
  ).map(
    ([procedure, input]): Make =>
      (_, random, others) => ({ procedure, input: input(pick(random, others)), mutation: true, due: shut }),
  ),
  (_, random, others) => ({ procedure: "resumes.get", input: { id: pick(random, others).resumeId }, due: missing }),
  (_, random, others) => ({ procedure: "resumes.export", input: { id: pick(random, others).page.id }, due: missing }),
  (_, random, others) => ({
    procedure: "resumes.bySlug",
    input: { slug: `mine-${pick(random, others).mark}` },
    due: missing,
  }),
  ({ tenant }, random, others) => ({
    procedure: "careless.addToTeam",
    input: {
      organizationId: tenant.organizationId,
      teamId: [...tenant.teams.keys()][0],
      memberId: pick(random, others).clients[1]?.memberId,
    },
    mutation: true,
    due: shut,
  }),
  () => ({ procedure: "organization.teams.list", input: {}, visitor: true, due: ["UNAUTHENTICATED"] }),
];

/** What somebody asks who has forgotten the filter. */
const unfiltered: Make[] = [
  (_, random) => ({ procedure: "careless.read", input: { table: pick(random, tableNames) }, due: "any" }),
  (_, random) => ({
    procedure: "careless.read",
    input: { table: pick(random, tableNames) },
    organization: null,
    due: "any",
  }),
  // Whoever has just written reads as app_direct, which sees the tables of sign-in.
  (_, random) => ({ procedure: "careless.readCached", input: { table: pick(random, directNames) }, due: "any" }),
  (_, random) => ({
    procedure: "careless.readCached",
    input: { table: pick(random, tableNames) },
    visitor: true,
    due: "any",
  }),
  (_, random) => ({ procedure: "careless.readDirect", input: { table: pick(random, directNames) }, due: "any" }),
];

/** Something that the client may ask next. */
export function nextOperation(client: Client, random: Random, others: Tenant[]): Operation {
  const dice = random();
  if (dice < 0.25) return pick(random, reads)(client, random, others);
  if (dice < 0.45) return readPage(client, random, others);
  if (dice < 0.6) return pick(random, writes)(client, random, others);
  if (dice < 0.85) return pick(random, attacks)(client, random, others);
  return pick(random, unfiltered)(client, random, others);
}
