import { loadModule } from "libpg-query";
import { describe, expect, it } from "vitest";
import { plainTables } from "./sql/plain-reads.ts";
import { copyFail, errorOf, q, RawClient, rowsOf } from "./testing/raw-client.ts";
import { KINDS, useSettings } from "./testing/setting.ts";

const settings = useSettings(async (setting) => {
  const owner = await setting.connect((await setting.start()).connectionString("origin", "owner"));
  await owner.query("create table copied (a text); grant all on copied to app");
});

describe.each(KINDS)("a COPY on %s", (kind) => {
  it.each([
    ["behind a constant in two pieces", "select E'a'\n'\\''; copy copied from stdin", ""],
    ["behind an escaped quote", "select '\\''; copy copied from stdin", "-c standard_conforming_strings=off"],
  ])("hidden %s stops nobody else", async (_, sql, options) => {
    const { ports } = await settings[kind].start({ poolSize: 1 });
    const client = await RawClient.open(ports.direct, "app", options === "" ? {} : { options });
    client.send(q(sql), copyFail("no data"));
    expect(errorOf(await client.until("Z"))?.C).toMatch(/^(?:57014|08P01)$/);
    const next = await RawClient.open(ports.direct);
    expect(rowsOf(await next.ask([q("select 'served'")]))).toEqual(["served"]);
  });
});

describe("a plain read", () => {
  it("is none whose constants end elsewhere where a backslash escapes", async () => {
    await loadModule();
    expect(plainTables("select a from t where b = ' and b = '")).toEqual(['"t"']);
    expect(plainTables("select a from t where b = 'x\\' and b = ' union select leak() --'")).toBeNull();
  });
});
