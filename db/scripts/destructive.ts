/** Whether a statement takes something away, or may lose something of it: a table, a column, an index, a policy, a wider type. */
export function destroys(statement: string): boolean {
  const bare = statement.replace(/--.*$/gm, "").replace(/'(?:[^']|'')*'/g, "''");
  return (
    /\bdrop\s+(?!default\b|not\s+null\b|expression\b|identity\b)/i.test(bare) ||
    /^\s*(truncate|delete)\b/i.test(bare) ||
    /\bset\s+data\s+type\b/i.test(bare)
  );
}
