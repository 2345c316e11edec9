import { connectionOf, type Db, type Tx } from "./doors.ts";
import { prelude, txOver } from "./rls.ts";
import { transaction } from "./transaction.ts";

/**
 * Runs `callback` in one write transaction as `service`, which sees system rows. For webhooks, jobs and cron alone.
 * @throws what the callback throws, after rolling back.
 */
export async function asService<T>(dbDirect: Db, callback: (tx: Tx) => Promise<T>): Promise<T> {
  const options = { prelude: prelude("service", {}, false), readOnly: false };
  return transaction(connectionOf(dbDirect), options, (client) => callback(txOver(client)));
}
