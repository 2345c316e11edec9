import { expect, test } from "vitest";
import { expectIndex, indexesOf } from "../../../test/indexes.ts";

/** The query that each index is there for. */
const queries = {
  api_key_created_by_idx: "select 1 from api_key where created_by = 'user_1'",
  api_key_expires_at_idx: "delete from api_key where expires_at < now() - interval '90 days'",
  api_key_hash_unique: `select 1 from api_key where key_hash = '${"a".repeat(43)}'`,
  api_key_organization_idx: "select id from api_key where organization_id = 'org_1' order by id desc limit 21",
  api_key_revoked_at_idx: "delete from api_key where revoked_at < now() - interval '90 days'",
  api_key_user_idx: "select id from api_key where user_id = 'user_1' order by id desc limit 21",
  usage_counter_ends_at_idx: "delete from usage_counter where ends_at < now() - interval '1 day'",
  usage_event_created_idx: "delete from usage_event where created_at < now() - interval '15 days'",
  usage_limit_organization_unique: "select 1 from usage_limit where organization_id = 'org_1'",
  usage_limit_user_unique: "select 1 from usage_limit where user_id = 'user_1'",
  usage_record_key_unique:
    "select 1 from usage_record where key_id = 'key_1' and metric = 'api_call' and period_start = '2026-01-01' and dimension = '{}'",
  usage_record_organization_idx:
    "select 1 from usage_record where organization_id = 'org_1' and period_start >= '2026-01-01' and period_start < '2026-01-02'",
  usage_record_period_start_idx: "delete from usage_record where period_start < now() - interval '400 days'",
  usage_record_user_idx:
    "select 1 from usage_record where user_id = 'user_1' and period_start >= '2026-01-01' and period_start < '2026-01-02'",
};

const fill = `
  insert into "user" (id, name, email) select 'user_' || n, 'x', n || '@keys.example' from generate_series(1, 100) n;
  insert into organization (id, name, slug) select 'org_' || n, 'x', 'keys-' || n from generate_series(1, 100) n;
  insert into api_key (id, user_id, organization_id, name, prefix, last_four, key_hash, scopes, created_by, expires_at, revoked_at)
    select 'key_' || n, case when n % 2 = 0 then 'user_' || n % 100 + 1 end, case when n % 2 = 1 then 'org_' || n % 100 + 1 end,
      'x', 'fl_test', 'abcd', lpad(n || 'x', 43, 'a'), '{}', 'user_' || n % 100 + 1,
      case when n % 50 = 0 then now() - interval '1 day' * (n / 10) end,
      case when n % 50 = 1 then now() - interval '1 day' * (n / 10) end
    from generate_series(1, 3000) n;
  insert into usage_counter select 'org_' || n, 'api_call', 'day', now() - interval '1 hour' * n, now() - interval '1 hour' * n, 1
    from generate_series(1, 2000) n;
  insert into usage_event (id, created_at) select 'evt_' || n, now() - interval '1 hour' * n from generate_series(1, 2000) n;
  insert into usage_limit (id, user_id, organization_id, metric, period, max)
    select 'lim_' || n, case when n % 2 = 0 then 'user_' || n % 100 + 1 end, case when n % 2 = 1 then 'org_' || n % 100 + 1 end,
      'm' || n, 'day', 1
    from generate_series(1, 1000) n;
  insert into usage_record (id, user_id, organization_id, key_id, metric, quantity, period_start)
    select 'use_' || n, case when n % 2 = 0 then 'user_' || n % 100 + 1 end, case when n % 2 = 1 then 'org_' || n % 100 + 1 end,
      'key_' || n, 'api_call', 1, now() - interval '1 day' * (n % 450)
    from generate_series(1, 4000) n`;

test("every index has its query", async () => {
  const tables = ["api_key", "usage_counter", "usage_event", "usage_limit", "usage_record"];
  expect(await indexesOf(...tables)).toEqual(Object.keys(queries));
});

test.each(Object.entries(queries))("%s serves its query", async (index, query) => {
  await expectIndex(query, index, fill);
});
