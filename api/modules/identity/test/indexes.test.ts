import { expect, test } from "vitest";
import { expectIndex, indexesOf } from "../../../test/indexes.ts";

/** The query that each index is there for. */
const queries = {
  identity_provider_account_unique: "select * from identity where provider_id = 'google' and account_id = '1'",
  identity_user_idx: "select * from identity where user_id = 'user_1'",
  passkey_credential_id_unique: "select * from passkey where credential_id = 'a'",
  passkey_user_idx: "select * from passkey where user_id = 'user_1'",
  rate_limit_key_unique: "select * from rate_limit where key = 'a'",
  session_impersonated_by_idx: "select * from session where impersonated_by = 'user_1'",
  session_token_unique: "select * from session where token = 'a'",
  session_user_idx: "select * from session where user_id = 'user_1'",
  two_factor_user_unique: "select * from two_factor where user_id = 'user_1'",
  // What LIKE 'ada%' asks of an index; in a database of collation C the unique one would do, too.
  user_email_search_idx: `select * from "user" where email ~>=~ 'ada' and email ~<~ 'adb'`,
  user_email_unique: `select * from "user" where email between 'a@example.com' and 'b@example.com'`,
  user_id_email_unique: `select id, email from "user" where id = 'user_1' and email = 'a@example.com' order by id, email`,
  user_name_search_idx: `select * from "user" where lower(name) like 'ada%'`,
  verification_identifier_idx: "select * from verification where identifier = 'a'",
};

test("every index has its query", async () => {
  const tables = ["identity", "passkey", "rate_limit", "session", "two_factor", "user", "verification"];
  expect(await indexesOf(...tables)).toEqual(Object.keys(queries));
});

// Rows are found by their primary key; user_id_email_unique is there for foreign keys that carry the address.
const found = Object.entries(queries).filter(([index]) => index !== "user_id_email_unique");

test.each(found)("%s serves its query", async (index, query) => {
  await expectIndex(query, index);
});
