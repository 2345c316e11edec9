import type { TransactionSql } from "postgres";

/** Makes COPY write values the same way on every server, until the transaction ends. */
export async function plainText(tx: TransactionSql): Promise<void> {
  await tx`
    select set_config(name, value, true) from (values ('timezone', 'UTC'), ('datestyle', 'ISO, YMD'),
      ('intervalstyle', 'postgres'), ('bytea_output', 'hex'), ('extra_float_digits', '1')) settings (name, value)`;
}
