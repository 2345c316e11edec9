import { insider, makeUser, openSession } from "../../../test/actors.ts";
import { defineIsolation } from "../../../test/isolation/declare.ts";

/** Somebody who is signed in twice, and as whom an admin acts. */
async function place() {
  const host = await insider("owner");
  const { id: sessionId } = await openSession(host.user.id);
  const { id: impersonatedBy } = await makeUser({ role: "admin" });
  const { id: actingId } = await openSession(host.user.id, { impersonatedBy });
  return { host, sessionId, actingId };
}

type Here = Awaited<ReturnType<typeof place>>;
const target = ({ host }: Here) => ({ userId: host.user.id });
const reasoned = (here: Here) => ({ ...target(here), reason: "ticket 7" });
const admins = ["admin"] as const;

export const isolation = defineIsolation<Here>({
  place,
  procedures: {
    "user.me": { as: "user" },
    "user.update": { as: "user", input: () => ({ name: "Renamed" }) },
    "user.export": { as: "user" },
    "user.delete": { as: "user" },
    "user.sessions.list": { as: "user" },
    "user.sessions.revoke": { as: "user", input: ({ sessionId }) => ({ sessionId }) },
    "user.sessions.revokeOthers": { as: "user" },
    "admin.users.list": { as: "staff", input: () => ({}) },
    "admin.users.get": { as: "staff", input: target },
    "admin.users.ban": { as: "staff", staff: admins, input: reasoned },
    "admin.users.unban": { as: "staff", staff: admins, input: target },
    "admin.users.impersonate": { as: "staff", staff: admins, input: reasoned },
    "admin.users.stopImpersonating": {
      as: "staff",
      staff: admins,
      input: ({ actingId }) => ({ sessionId: actingId }),
    },
  },
});
