import { expect, test } from "vitest";
import { expectIndex, indexesOf } from "../../../test/indexes.ts";

/** The query that each index is there for. */
const queries = {
  audit_log_organization_actor_idx:
    "select * from audit_log where organization_id = 'org_1' and actor_id = 'user_1' order by id desc limit 21",
  audit_log_organization_idx: "select * from audit_log where organization_id = 'org_1' order by id desc limit 21",
  audit_log_organization_target_idx:
    "select * from audit_log where organization_id = 'org_1' and target = 'team_1' order by id desc limit 21",
  invitation_email_idx: "select * from invitation where email = 'a1@example.com' order by id desc",
  invitation_expires_at_idx:
    "update invitation set status = 'expired' where status = 'pending' and expires_at <= now()",
  invitation_inviter_idx: "select * from invitation where inviter_id = 'user_1'",
  invitation_organization_idx: "select * from invitation where organization_id = 'org_1' order by id desc limit 21",
  invitation_pending_unique:
    "select 1 from invitation where organization_id = 'org_1' and email = 'a1@example.com' and status = 'pending'",
  invitation_team_idx: "select * from invitation where organization_id = 'org_1' and team_id = 'team_1'",
  member_organization_unique: "select * from member where organization_id = 'org_1' order by id limit 21",
  member_user_organization_unique: "select * from member where user_id = 'user_1' order by organization_id limit 21",
  organization_deleted_at_idx: "delete from organization where deleted_at < now() - interval '30 days'",
  organization_slug_unique: "select 1 from organization where slug = 'slug-1'",
  team_member_member_idx: "select * from team_member where organization_id = 'org_1' and member_id = 'mem_1'",
  team_organization_name_unique: "select 1 from team where organization_id = 'org_1' and name = 'team 1'",
  team_organization_unique: "select * from team where organization_id = 'org_1' order by id limit 21",
};

const fill = `
  insert into "user" (id, name, email) select 'user_' || n, 'x', n || '@index.example' from generate_series(1, 100) n;
  insert into organization (id, name, slug, deleted_at)
    select 'org_' || n, 'x', 'slug-' || n, case when n % 100 = 0 then now() - interval '1 day' * n end
    from generate_series(1, 1000) n;
  insert into member (id, organization_id, user_id)
    select 'mem_' || n, 'org_' || n % 50 + 1, 'user_' || n / 50 + 1 from generate_series(1, 2000) n;
  insert into team (id, organization_id, name)
    select 'team_' || n, 'org_' || n % 50 + 1, 'team ' || n from generate_series(1, 2000) n;
  insert into team_member (organization_id, team_id, member_id)
    select 'org_' || n % 50 + 1, 'team_' || n, 'mem_' || n from generate_series(1, 2000) n;
  insert into invitation (id, organization_id, email, role, team_id, inviter_id, expires_at, status)
    select 'inv_' || n, 'org_' || n % 50 + 1, 'a' || n / 50 || '@example.com', 'member', 'team_' || n, 'user_' || n % 100 + 1,
      now() + interval '1 day' * (n % 100 - 1), case when n % 5 = 0 then 'pending' else 'accepted' end
    from generate_series(1, 2000) n;
  insert into audit_log (id, organization_id, actor_id, action, target, request_id)
    select 'aud_' || n, 'org_' || n % 50 + 1, 'user_' || n % 90, 'x', 'team_' || n % 70, 'r' from generate_series(1, 5000) n`;

test("every index has its query", async () => {
  const tables = ["audit_log", "invitation", "member", "organization", "team", "team_member"];
  expect(await indexesOf(...tables)).toEqual(Object.keys(queries));
});

test.each(Object.entries(queries))("%s serves its query", async (index, query) => {
  await expectIndex(query, index, fill);
});
