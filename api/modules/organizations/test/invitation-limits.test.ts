import { auditLog, organizationPrefixes } from "@repo/db";
import { idSince } from "@repo/db/schema/columns";
import { expect, test } from "vitest";
import { expectRefusal } from "../../../test/errors.ts";
import { withOwner } from "../../../test/owner.ts";
import { invitationLimits } from "../policy.ts";
import { type Insider, insider, newAddress } from "./places.ts";

const { perInviterAndHour, perOrganizationAndDay } = invitationLimits;

/** Writes down letters that went out some minutes ago. */
function mailed(host: Insider, actorId: string, [letters, minutesAgo]: [number, number]) {
  const createdAt = new Date(Date.now() - minutesAgo * 60_000);
  const oldest = idSince(organizationPrefixes.auditLog, createdAt);
  const rows = Array.from({ length: letters }, (_, n) => ({
    // Between them, in the part of the id that is chance.
    id: `${oldest.slice(0, -6)}${host.organization.id.slice(-3)}${String(n).padStart(3, "0")}`,
    organizationId: host.organization.id,
    actorId,
    action: "invitation.create",
    target: "inv",
    requestId: "r",
    createdAt,
  }));
  return withOwner((db) => db.insert(auditLog).values(rows));
}

const invite = ({ api }: Insider) => api.organization.invitations.create({ email: newAddress() });

test("one person sends so many letters an hour, and a resent one counts", async () => {
  const host = await insider("owner");
  const other = await insider("admin", host.organization);
  await mailed(host, host.user.id, [10, 70]);
  await mailed(host, host.user.id, [perInviterAndHour - 1, 10]);
  const { id } = await invite(host);
  const refused = await expectRefusal(invite(host), "RATE_LIMITED", "invitation_limit");
  expect(refused.message).toBe("Too many invitations; try again later");
  await expectRefusal(host.api.organization.invitations.resend({ invitationId: id }), "RATE_LIMITED");
  await invite(other);
});

test("all of them together so many a day", async () => {
  const host = await insider("owner");
  const other = await insider("admin", host.organization);
  await mailed(host, other.user.id, [10, 25 * 60]);
  await mailed(host, other.user.id, [perOrganizationAndDay - 1, 120]);
  await invite(host);
  await expectRefusal(invite(host), "RATE_LIMITED", "invitation_limit");
});

test("of two at once over the limit, one goes out", async () => {
  const host = await insider("owner");
  await mailed(host, host.user.id, [perInviterAndHour - 1, 10]);
  const outcomes = await Promise.allSettled([invite(host), invite(host)]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});
