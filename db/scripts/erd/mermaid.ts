import type { ErdModel, ErdTable } from "./model.ts";

/** The model as a Mermaid entity-relationship diagram. */
export function toMermaid({ tables, neighbours, references }: ErdModel): string {
  const relations = references.map(({ from, to, columns, isOptional, isSingle }) => {
    const left = isOptional ? "|o" : "||";
    const right = isSingle ? "o|" : "o{";
    return `  ${to} ${left}--${right} ${from} : "${columns.join(", ")}"`;
  });
  return ["erDiagram", ...[...tables, ...neighbours].flatMap(entity), ...relations].join("\n");
}

function entity({ name, columns }: ErdTable): string[] {
  const lines = columns.map(({ name: column, type, keys, isNullable }) => {
    const parts = [type, column, keys.join(", "), isNullable ? '"nullable"' : ""];
    return `    ${parts.filter(Boolean).join(" ")}`;
  });
  return [`  ${name} {`, ...lines, "  }"];
}
