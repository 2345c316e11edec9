import type { Bytes } from "../wire/protocol.ts";

const PIECE =
  /[eE]'(?:\\[\s\S]|''|[^'\\])*'?|'(?:''|[^'])*'?|"(?:""|[^"])*"?|\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$|--[^\n\r]*|\/\*|[A-Za-z_\x80-\xff][\w$\x80-\xff]*|[\s\S]/g;

/**
 * SQL whose comments are blanks, trimmed; what only looks like a comment inside a constant or a quoted name stays.
 * Where there is a backslash, a setting or the encoding decides what it escapes: all stays.
 */
export function withoutComments(sql: Bytes): Bytes {
  if ((!sql.includes("--") && !sql.includes("/*")) || sql.includes("\\")) return sql.trim();
  let plain = "";
  PIECE.lastIndex = 0;
  for (let match = PIECE.exec(sql); match !== null; match = PIECE.exec(sql)) {
    const [piece] = match;
    if (piece.startsWith("--")) {
      plain += " ";
    } else if (piece === "/*") {
      plain += " ";
      PIECE.lastIndex = commentEnd(sql, PIECE.lastIndex);
    } else if (piece.length > 1 && piece.startsWith("$")) {
      const end = sql.indexOf(piece, PIECE.lastIndex);
      const stop = end === -1 ? sql.length : end + piece.length;
      plain += sql.slice(match.index, stop);
      PIECE.lastIndex = stop;
    } else {
      plain += piece;
    }
  }
  return plain.trim();
}

/** Where a block comment ends whose opening lies before `from`; they nest. */
function commentEnd(sql: Bytes, from: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  let depth = 1;
  for (let match = mark.exec(sql); match !== null; match = mark.exec(sql)) {
    depth += match[0] === "/*" ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return sql.length;
}
