import type { Bytes } from "../wire/protocol.ts";

/** What is left of a statement when comments and constants are taken away. */
export interface ScannedStatement {
  /** Lower-case words and quoted names (without their quotes, as written), in order. */
  words: string[];
}

const WORD_START = /[A-Za-z_\x80-\xff]/;
const WORD = /[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*/y;
/** Between two pieces of one constant there is a line's end. */
const CONTINUATION = /(?:[ \t\f\v]|--[^\n\r]*(?=[\n\r]))*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'/y;
const DOLLAR_TAG = /\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$/y;

/**
 * Splits SQL into its statements and lists their words. It follows Postgres' lexer where that decides what is a word:
 * nested comments, quotes, E'' escapes, dollar quotes. Bodies of SQL-standard functions (BEGIN ATOMIC) split at their semicolons.
 * `escapes`: a backslash escapes in every constant, as with standard_conforming_strings off.
 */
export function scanSql(sql: Bytes, escapes = false): ScannedStatement[] {
  const statements: ScannedStatement[] = [];
  let words: string[] = [];
  let blank = true;
  const finish = () => {
    if (!blank) statements.push({ words });
    words = [];
    blank = true;
  };
  let at = 0;
  while (at < sql.length) {
    const skipped = skipBlank(sql, at);
    if (skipped > at) {
      at = skipped;
      continue;
    }
    if (sql[at] === ";") {
      finish();
      at++;
      continue;
    }
    blank = false;
    const token = readToken(sql, at, escapes);
    if (token.word !== null) words.push(token.word);
    at = token.end;
  }
  finish();
  return statements;
}

function skipBlank(sql: Bytes, at: number): number {
  if (/\s/.test(sql.charAt(at))) return at + 1;
  if (sql.startsWith("--", at)) {
    const end = sql.slice(at).search(/[\r\n]/);
    return end === -1 ? sql.length : at + end;
  }
  return sql.startsWith("/*", at) ? skipComment(sql, at) : at;
}

function skipComment(sql: Bytes, start: number): number {
  let depth = 0;
  let at = start;
  while (at < sql.length) {
    if (sql.startsWith("/*", at)) {
      depth++;
      at += 2;
    } else if (sql.startsWith("*/", at)) {
      depth--;
      at += 2;
      if (depth === 0) return at;
    } else {
      at++;
    }
  }
  return sql.length;
}

interface Token {
  word: string | null;
  end: number;
}

function readToken(sql: Bytes, at: number, escapes: boolean): Token {
  const character = sql.charAt(at);
  if (character === "'") return { word: null, end: constantEnd(sql, at, escapes) };
  if (character === '"') return quotedName(sql, at);
  if (character === "$") return dollarQuoted(sql, at);
  if (!WORD_START.test(character)) return { word: null, end: at + 1 };
  WORD.lastIndex = at;
  const word = WORD.exec(sql)?.[0].toLowerCase() ?? character;
  const end = at + word.length;
  if (sql[end] === "'" && (word === "e" || word === "b" || word === "x" || word === "n")) {
    return { word: null, end: constantEnd(sql, end, word === "e") };
  }
  return { word, end };
}

function quotedName(sql: Bytes, at: number): Token {
  const end = quotedEnd(sql, at, false);
  return { word: sql.slice(at + 1, end - 1).replaceAll('""', '"'), end };
}

/** A constant goes on in its next piece, with the same escapes. */
function constantEnd(sql: Bytes, start: number, escapes: boolean): number {
  let end = quotedEnd(sql, start, escapes);
  for (;;) {
    CONTINUATION.lastIndex = end;
    if (!CONTINUATION.test(sql)) return end;
    end = quotedEnd(sql, CONTINUATION.lastIndex - 1, escapes);
  }
}

function quotedEnd(sql: Bytes, start: number, escapes: boolean): number {
  const quote = sql[start];
  let at = start + 1;
  while (at < sql.length) {
    if (escapes && sql[at] === "\\") at += 2;
    else if (sql[at] !== quote) at++;
    else if (sql[at + 1] === quote) at += 2;
    else return at + 1;
  }
  return sql.length;
}

function dollarQuoted(sql: Bytes, at: number): Token {
  DOLLAR_TAG.lastIndex = at;
  const tag = DOLLAR_TAG.exec(sql)?.[0];
  if (tag === undefined) return { word: null, end: at + 1 };
  const end = sql.indexOf(tag, at + tag.length);
  return { word: null, end: end === -1 ? sql.length : end + tag.length };
}
