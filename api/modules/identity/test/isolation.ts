import { insider, openSession } from "../../../test/actors.ts";
import { defineIsolation } from "../../../test/isolation/declare.ts";

/** Somebody who is signed in twice. */
async function place() {
  const host = await insider("owner");
  const { id: sessionId } = await openSession(host.user.id);
  return { host, sessionId };
}

export const isolation = defineIsolation<Awaited<ReturnType<typeof place>>>({
  place,
  procedures: {
    "user.me": { as: "user" },
    "user.update": { as: "user", input: () => ({ name: "Renamed" }) },
    "user.export": { as: "user" },
    "user.delete": { as: "user" },
    "user.sessions.list": { as: "user" },
    "user.sessions.revoke": { as: "user", input: ({ sessionId }) => ({ sessionId }) },
    "user.sessions.revokeOthers": { as: "user" },
  },
});
