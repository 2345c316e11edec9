/**
 * The only row of a statement that always gives one, such as INSERT … RETURNING.
 * @throws Error when there is none.
 */
export function one<Row>([row]: Row[]): Row {
  if (row === undefined) throw new Error("the statement gave no row");
  return row;
}
