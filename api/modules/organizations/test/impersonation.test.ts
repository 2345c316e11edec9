import { expect, test } from "vitest";
import { signIn } from "../../../test/actors.ts";
import { apiFor, measure } from "../../../test/call.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { ownerSql } from "../../../test/owner.ts";
import { insider, invited, rolesIn } from "./places.ts";

/** An owner, and what an admin of the platform may do in their name. */
async function actedFor() {
  const ada = await insider("owner");
  const admin = await signIn({ role: "admin" });
  const { token } = await admin.api.admin.users.impersonate({ userId: ada.user.id, reason: "ticket 7" });
  const headers = { authorization: `Bearer ${token}`, "x-organization": ada.organization.id };
  return { ada, admin, headers, api: apiFor(headers) };
}

test("whoever acts as an owner looks, gives nobody a standing that outlasts it, and deletes nothing", async () => {
  const { ada, admin, headers, api } = await actedFor();
  const bob = await insider("member", ada.organization);
  const { invitationId } = await invited(ada);
  const before = await rolesIn(ada.organization);
  const attempts: [string, unknown][] = [
    ["organization.invitations.create", { email: admin.user.email, role: "owner" }],
    ["organization.invitations.resend", { invitationId }],
    ["organization.members.updateRole", { memberId: bob.memberId, role: "owner" }],
    ["organization.transferOwnership", { memberId: bob.memberId }],
    ["organization.delete", undefined],
  ];
  for (const [path, input] of attempts) {
    await expectRefusal(measure(headers, path, input), "FORBIDDEN", "impersonated");
  }
  expect(await rolesIn(ada.organization)).toEqual(before);
  const { rows } = await ownerSql("select id from invitation where organization_id = $1", [ada.organization.id]);
  expect(rows).toEqual([{ id: invitationId }]);
  expect((await api.organization.invitations.list({})).items).toHaveLength(1);
  expect((await api.organization.members.list({})).items).toHaveLength(2);
});
