import { expect, test } from "vitest";
import { expectIndex, indexesOf } from "../../test/indexes.ts";

/** The query that each index is there for. */
const queries = {
  resume_deleted_at_idx: "delete from resume where deleted_at < now() - interval '30 days'",
  resume_slug_unique: "select public_data from resume where slug = 'a' and is_public and deleted_at is null",
  resume_user_email_idx: "select * from resume where user_email = 'a@example.com'",
  resume_user_idx: "select * from resume where user_id = 'user_1' and deleted_at is null order by id desc limit 21",
  resume_user_name_unique: "select 1 from resume where user_id = 'user_1' and name = 'a' and deleted_at is null",
  resume_visit_day_idx: "delete from resume_visit where day < '2026-01-01'",
  resume_visit_unique: "select day, kind, count(*) from resume_visit where resume_id = 'resume_1' group by 1, 2",
};

const fill = `
  insert into "user" (id, name, email) select 'user_' || n, 'x', n || '@index.example' from generate_series(1, 50) n;
  insert into resume (id, user_id, user_email, name, slug, data, public_data)
    select 'resume_' || n, 'user_' || n % 50 + 1, n % 50 + 1 || '@index.example', n, 'slug-' || n, '{}', '{}' from generate_series(1, 1000) n`;

test("every index has its query", async () => {
  expect(await indexesOf("resume", "resume_visit")).toEqual(Object.keys(queries));
});

test.each(Object.entries(queries))("%s serves its query", async (index, query) => {
  await expectIndex(query, index, fill);
});
