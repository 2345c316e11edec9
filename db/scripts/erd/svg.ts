import { Graphviz } from "@hpcc-js/wasm-graphviz";
import type { ErdModel, ErdReference, ErdTable } from "./model.ts";

const style = { text: "#1f2933", muted: "#616e7c", line: "#7b8794", head: "#dbe7f3", outside: "#eef0f2" };

/** All as wide as Courier, by which the drawing is measured. */
const fonts = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace";

/** The model as a drawing, the same at every run. */
export async function toSvg(model: ErdModel, title: string): Promise<string> {
  const graphviz = await Graphviz.load();
  const svg = graphviz.layout(toDot(model), "svg", "dot");
  const withoutRemarks = svg.slice(svg.indexOf("<svg")).replaceAll(/<!--[\s\S]*?-->\n?/g, "");
  return withoutRemarks
    .replace(/^<svg [^>]*>/, `$&\n<title>${escaped(title)}</title>`)
    .replaceAll('font-family="Courier,monospace"', `font-family="${fonts}"`);
}

function toDot({ tables, neighbours, references }: ErdModel): string {
  return `digraph {
  graph [rankdir=LR, nodesep=0.35, ranksep=1.1, bgcolor=white, pad=0.25]
  node [shape=plain, fontname="Courier", fontsize=11, fontcolor="${style.text}"]
  edge [fontname="Courier", fontsize=9, fontcolor="${style.muted}", color="${style.line}", dir=both, arrowsize=0.8]
${tables.map((table) => node(table, style.head)).join("\n")}
${neighbours.map((table) => node(table, style.outside)).join("\n")}
${references.map(edge).join("\n")}
}`;
}

function node({ name, columns }: ErdTable, color: string): string {
  const rows = columns.map(({ name: column, type, keys, isNullable }) => {
    const cells = [
      `<b>${keys.join(" ")}</b>`,
      escaped(column),
      `<font color="${style.muted}">${escaped(type)}${isNullable ? "?" : ""}</font>`,
    ];
    return `<tr>${cells.map((cell) => `<td align="left">${cell.replace("<b></b>", " ")}</td>`).join("")}</tr>`;
  });
  const head = `<tr><td colspan="3" bgcolor="${color}"><b>${escaped(name)}</b></td></tr>`;
  return `  "${name}" [label=<<table border="1" cellborder="0" cellspacing="0" cellpadding="4" color="${style.line}">${head}${rows.join("")}</table>>]`;
}

/** Crow's feet, as in the Mermaid: none or one, exactly one, or none to many. */
function edge({ from, to, columns, isOptional, isSingle }: ErdReference): string {
  const tail = isOptional ? "teeodot" : "teetee";
  const head = isSingle ? "teeodot" : "crowodot";
  return `  "${to}" -> "${from}" [label="${columns.join(", ")}", arrowtail=${tail}, arrowhead=${head}]`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
