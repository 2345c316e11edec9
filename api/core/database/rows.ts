import { type SQL, sql } from "@repo/db";

/**
 * The only row of a statement that always gives one, such as INSERT … RETURNING.
 * @throws Error when there is none.
 */
export function one<Row>([row]: Row[]): Row {
  if (row === undefined) throw new Error("the statement gave no row");
  return row;
}

/**
 * The expression with the table before each of its columns. In the select list of a single table Drizzle leaves it
 * out, and inside a subselect the name then means a column of the inner table. A `mapWith` goes around this.
 */
export function qualified<T>(expression: SQL<T>): SQL<T> {
  return sql<T>`${expression}`;
}
