import { expect, test } from "vitest";
import { makeUser, openSession, signIn } from "../../../test/actors.ts";
import { auditOf } from "../../../test/audit.ts";
import { apiFor } from "../../../test/call.ts";
import { expectRefusal } from "../../../test/errors.ts";
import { clientFor } from "../../../test/http.ts";
import { insider } from "./places.ts";

test("the log lists newest first, page by page, narrowed by actor, target, action and time", async () => {
  const ada = await insider("owner");
  const bob = await insider("admin", ada.organization);
  const { id: crew } = await ada.api.organization.teams.create({ name: "Crew" });
  const { id: other } = await bob.api.organization.teams.create({ name: "Other" });
  await bob.api.organization.teams.update({ teamId: crew, name: "Flight crew" });
  const { list } = ada.api.organization.audit;
  const brief = async (input: Parameters<typeof list>[0]) =>
    (await list(input)).items.map(({ action, target }) => [action, target]);
  const all = [
    ["team.update", crew],
    ["team.create", other],
    ["team.create", crew],
  ];
  expect(await brief({})).toEqual(all);
  const first = await list({ limit: 2 });
  expect(await brief({ limit: 2, cursor: first.nextCursor ?? "" })).toEqual(all.slice(2));
  expect(await brief({ actorId: bob.user.id })).toEqual(all.slice(0, 2));
  expect(await brief({ target: crew })).toEqual([all[0], all[2]]);
  expect(await brief({ action: "team.create", actorId: ada.user.id })).toEqual([all[2]]);
  expect(await brief({ until: new Date(Date.now() - 60_000) })).toEqual([]);
  expect(await brief({ since: new Date(Date.now() - 60_000) })).toEqual(all);
});

test("frontends narrow the log by time too", async () => {
  const ada = await insider("owner");
  const { id } = await ada.api.organization.teams.create({ name: "Crew" });
  const { list } = clientFor(ada.headers).client.organization.audit;
  expect((await list.query({ since: new Date(Date.now() - 60_000) })).items).toMatchObject([{ target: id }]);
  expect((await list.query({ until: new Date(Date.now() - 60_000) })).items).toEqual([]);
});

test("refused writes leave no trace", async () => {
  const ada = await insider("owner");
  const { id } = await ada.api.organization.teams.create({ name: "Crew" });
  await expectRefusal(ada.api.organization.teams.create({ name: "Crew" }), "CONFLICT");
  await expectRefusal(ada.api.organization.members.remove({ memberId: ada.memberId }), "CONFLICT");
  expect((await ada.api.organization.audit.list({})).items).toMatchObject([{ action: "team.create", target: id }]);
});

test("what a person does of their own is written down for them, in no organization, and exported", async () => {
  const ada = await insider("owner");
  const other = await openSession(ada.user.id);
  await ada.api.user.update({ name: "Ada L." });
  await ada.api.user.sessions.revoke({ sessionId: other.id });
  expect((await ada.api.organization.audit.list({})).items).toEqual([]);
  expect(await auditOf(ada.user.id)).toMatchObject([
    { action: "user.update", organizationId: null, before: { name: "Test User" }, after: { name: "Ada L." } },
  ]);
  expect(await auditOf(other.id)).toMatchObject([{ action: "user.revokeSession", organizationId: null }]);
  expect(await ada.api.user.export()).toMatchObject({
    changes: [{ action: "user.revokeSession" }, { action: "user.update" }],
  });
});

test("names the staff member who acted as somebody", async () => {
  const { id } = await makeUser();
  const staff = await signIn({ role: "admin" });
  const { bearer } = await openSession(id, { impersonatedBy: staff.user.id });
  await apiFor({ authorization: `Bearer ${bearer}` }).user.update({ name: "Helped" });
  expect(await auditOf(id)).toMatchObject([{ actorId: id, impersonatorId: staff.user.id }]);
});
